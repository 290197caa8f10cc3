using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using DeviceMapper.Native;

namespace DeviceMapper.Cryptography;

/// <summary>
/// AES in XTS mode (IEEE 1619) by the processor's instructions, tweaks and blocks in one pass. As in the kernel, the halves of the
/// key may be equal, or have 24 bytes.
/// </summary>
internal sealed unsafe class AesXts : SectorCipher
{
    private readonly AesKey _data = new();
    private readonly AesKey _tweak = new();

    /// <inheritdoc/>
    public override int IvSize => 16;

    /// <inheritdoc/>
    public override int BlockSize => 16;

    /// <inheritdoc/>
    public override void SetKey(ReadOnlySpan<byte> key)
    {
        if (key.Length is not (32 or 48 or 64))
        {
            throw new DmException(Errno.EINVAL, $"xts(aes) takes keys of 32, 48 or 64 bytes, not of {key.Length}");
        }

        _data.Set(key[..(key.Length / 2)]);
        _tweak.Set(key[(key.Length / 2)..]);
    }

    /// <inheritdoc/>
    public override void Encrypt(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv) =>
        Pass<AesEncryption>(source, destination, iv);

    /// <inheritdoc/>
    public override void Decrypt(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv) =>
        Pass<AesDecryption>(source, destination, iv);

    /// <inheritdoc/>
    public override void Dispose()
    {
        _data.Dispose();
        _tweak.Dispose();
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Pass<TDirection>(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv)
        where TDirection : struct, IAesDirection
    {
        fixed (byte* sourceStart = source, destinationStart = destination)
        {
            Vector128<byte>* from = (Vector128<byte>*)sourceStart;
            Vector128<byte>* to = (Vector128<byte>*)destinationStart;
            Vector128<byte>* end = from + (source.Length / 16);
            Vector128<byte>* first = TDirection.Keys(_data);
            Vector128<byte>* last = first + _data.Rounds;
            Vector128<byte>* tweaks = stackalloc Vector128<byte>[8];
            Vector128<byte> tweak = EncryptedIv(Vector128.Create(iv));
            for (; from + 8 <= end; from += 8, to += 8)
            {
                Vector128<byte>* keys = first;
                Vector128<byte> key = *keys;
                tweaks[0] = tweak;
                Vector128<byte> a = from[0] ^ tweak ^ key;
                Vector128<byte> b = from[1] ^ (tweaks[1] = tweak = Double(tweak)) ^ key;
                Vector128<byte> c = from[2] ^ (tweaks[2] = tweak = Double(tweak)) ^ key;
                Vector128<byte> d = from[3] ^ (tweaks[3] = tweak = Double(tweak)) ^ key;
                Vector128<byte> e = from[4] ^ (tweaks[4] = tweak = Double(tweak)) ^ key;
                Vector128<byte> f = from[5] ^ (tweaks[5] = tweak = Double(tweak)) ^ key;
                Vector128<byte> g = from[6] ^ (tweaks[6] = tweak = Double(tweak)) ^ key;
                Vector128<byte> h = from[7] ^ (tweaks[7] = tweak = Double(tweak)) ^ key;
                tweak = Double(tweak);
                while (++keys < last)
                {
                    key = *keys;
                    a = TDirection.Round(a, key);
                    b = TDirection.Round(b, key);
                    c = TDirection.Round(c, key);
                    d = TDirection.Round(d, key);
                    e = TDirection.Round(e, key);
                    f = TDirection.Round(f, key);
                    g = TDirection.Round(g, key);
                    h = TDirection.Round(h, key);
                }

                key = *last;
                to[0] = TDirection.LastRound(a, key ^ tweaks[0]);
                to[1] = TDirection.LastRound(b, key ^ tweaks[1]);
                to[2] = TDirection.LastRound(c, key ^ tweaks[2]);
                to[3] = TDirection.LastRound(d, key ^ tweaks[3]);
                to[4] = TDirection.LastRound(e, key ^ tweaks[4]);
                to[5] = TDirection.LastRound(f, key ^ tweaks[5]);
                to[6] = TDirection.LastRound(g, key ^ tweaks[6]);
                to[7] = TDirection.LastRound(h, key ^ tweaks[7]);
            }

            for (; from < end; from++, to++, tweak = Double(tweak))
            {
                Vector128<byte>* keys = first;
                Vector128<byte> block = *from ^ tweak ^ *keys;
                while (++keys < last)
                {
                    block = TDirection.Round(block, *keys);
                }

                *to = TDirection.LastRound(block, *last ^ tweak);
            }
        }
    }

    private Vector128<byte> EncryptedIv(Vector128<byte> iv)
    {
        Vector128<byte>* keys = _tweak.Encrypting;
        Vector128<byte>* last = keys + _tweak.Rounds;
        Vector128<byte> tweak = iv ^ *keys;
        while (++keys < last)
        {
            tweak = AesEncryption.Round(tweak, *keys);
        }

        return AesEncryption.LastRound(tweak, *last);
    }

    /// <summary>The next tweak: times x in GF(2^128), little endian.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Double(Vector128<byte> tweak)
    {
        // The sign bits of both halves, spread: the upper one comes back into the lower half as 0x87, the lower one moves up.
        Vector128<int> carries = Sse2.ShiftRightArithmetic(Sse2.Shuffle(tweak.AsInt32(), 0x13), 31) & Vector128.Create(0x87, 0, 1, 0);
        return (tweak.AsInt64() + tweak.AsInt64()).AsByte() ^ carries.AsByte();
    }
}
