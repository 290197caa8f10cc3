using System.Buffers.Binary;
using System.Runtime.InteropServices;
using DeviceMapper.Native;

namespace DeviceMapper.Cryptography.Digests;

/// <summary>NHPoly1305, the keyed hash of Adiantum: NH of each 1024 bytes, and Poly1305 over what comes out (crypto/nhpoly1305.c).</summary>
internal sealed class NhPoly1305 : JoinedDigest
{
    /// <summary>Bytes of the key: of Poly1305, and of NH.</summary>
    public const int KeySize = Poly1305.BlockSize + NhKeySize;

    private const int NhMessage = 1024; // bytes that NH takes at once
    private const int NhUnit = 16; // it takes whole ones of
    private const int NhPasses = 4;
    private const int NhKeySize = NhMessage + (NhUnit * (NhPasses - 1));

    private readonly SecretMemory _key;

    /// <summary>Makes the hash.</summary>
    /// <exception cref="DmException">EINVAL: the key has another size.</exception>
    public NhPoly1305(ReadOnlySpan<byte> key) => _key = key.Length == KeySize
        ? new SecretMemory(key)
        : throw new DmException(Errno.EINVAL, $"a key of nhpoly1305 has {KeySize} bytes, not {key.Length}");

    /// <inheritdoc/>
    public override int Size => Poly1305.BlockSize;

    /// <inheritdoc/>
    public override bool IsKeyed => true;

    /// <summary>The hash, with a key.</summary>
    /// <param name="bytes">What is not a whole number of 16 bytes is filled up with zeroes.</param>
    /// <param name="key"><see cref="KeySize"/> bytes.</param>
    public static UInt128 Hash(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> key)
    {
        Span<byte> sums = stackalloc byte[NhPasses * sizeof(ulong)];
        Span<byte> last = stackalloc byte[NhMessage];
        Poly1305 poly = new(key);
        for (int at = 0; at < bytes.Length; at += NhMessage)
        {
            ReadOnlySpan<byte> message = bytes[at..Math.Min(at + NhMessage, bytes.Length)];
            if (message.Length % NhUnit != 0)
            {
                last.Clear();
                message.CopyTo(last);
                Nh(last[..((message.Length + NhUnit - 1) & -NhUnit)], key[Poly1305.BlockSize..], sums);
            }
            else
            {
                Nh(message, key[Poly1305.BlockSize..], sums);
            }

            poly.Add(sums);
        }

        return poly.Finish();
    }

    /// <inheritdoc/>
    public override void Dispose() => _key.Dispose();

    /// <inheritdoc/>
    protected override void HashWhole(ReadOnlySpan<byte> bytes, Span<byte> digest) => BinaryPrimitives.WriteUInt128LittleEndian(digest, Hash(bytes, _key.Span));

    private static void Nh(ReadOnlySpan<byte> message, ReadOnlySpan<byte> key, Span<byte> sums)
    {
        ReadOnlySpan<uint> words = MemoryMarshal.Cast<byte, uint>(message);
        ReadOnlySpan<uint> keys = MemoryMarshal.Cast<byte, uint>(key);
        for (int pass = 0; pass < NhPasses; pass++)
        {
            ReadOnlySpan<uint> shifted = keys.Slice(pass * 4, words.Length);
            ulong sum = 0;
            for (int i = 0; i < words.Length; i += 4)
            {
                sum += (ulong)(words[i] + shifted[i]) * (words[i + 2] + shifted[i + 2]);
                sum += (ulong)(words[i + 1] + shifted[i + 1]) * (words[i + 3] + shifted[i + 3]);
            }

            BinaryPrimitives.WriteUInt64LittleEndian(sums[(pass * sizeof(ulong))..], sum);
        }
    }
}
