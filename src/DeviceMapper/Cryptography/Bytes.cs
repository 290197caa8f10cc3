using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DeviceMapper.Cryptography;

/// <summary>Operations on runs of bytes that ciphers and modes share.</summary>
internal static class Bytes
{
    /// <summary>Exclusive or of two runs, as long as the first, into a third, which may be one of them.</summary>
    public static void Xor(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, Span<byte> result)
    {
        int length = a.Length;
        ArgumentOutOfRangeException.ThrowIfLessThan(b.Length, length);
        ArgumentOutOfRangeException.ThrowIfLessThan(result.Length, length);
        ref byte x = ref MemoryMarshal.GetReference(a);
        ref byte y = ref MemoryMarshal.GetReference(b);
        ref byte z = ref MemoryMarshal.GetReference(result);
        int at = 0;
        for (; at <= length - Vector<byte>.Count; at += Vector<byte>.Count)
        {
            Vector<byte> word = Unsafe.ReadUnaligned<Vector<byte>>(ref Unsafe.Add(ref x, at)) ^ Unsafe.ReadUnaligned<Vector<byte>>(ref Unsafe.Add(ref y, at));
            Unsafe.WriteUnaligned(ref Unsafe.Add(ref z, at), word);
        }

        for (; at <= length - sizeof(ulong); at += sizeof(ulong))
        {
            ulong word = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref x, at)) ^ Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref y, at));
            Unsafe.WriteUnaligned(ref Unsafe.Add(ref z, at), word);
        }

        for (; at < length; at++)
        {
            Unsafe.Add(ref z, at) = (byte)(Unsafe.Add(ref x, at) ^ Unsafe.Add(ref y, at));
        }
    }
}
