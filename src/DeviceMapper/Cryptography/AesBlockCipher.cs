using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeviceMapper.Cryptography;

/// <summary>AES by the processor's own instructions (FIPS 197): in constant time, eight blocks side by side to keep the pipeline full.</summary>
internal sealed unsafe class AesBlockCipher : BlockCipher
{
    private readonly AesKey _key = new();

    /// <summary>Whether the processor has the instructions.</summary>
    public static bool IsSupported => System.Runtime.Intrinsics.X86.Aes.IsSupported;

    /// <inheritdoc/>
    public override int BlockSize => 16;

    /// <inheritdoc/>
    public override void SetKey(ReadOnlySpan<byte> key) => _key.Set(key);

    /// <inheritdoc/>
    public override void Encrypt(ReadOnlySpan<byte> source, Span<byte> destination) => Pass<AesEncryption>(source, destination);

    /// <inheritdoc/>
    public override void Decrypt(ReadOnlySpan<byte> source, Span<byte> destination) => Pass<AesDecryption>(source, destination);

    /// <inheritdoc/>
    public override void Dispose() => _key.Dispose();

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Pass<TDirection>(ReadOnlySpan<byte> source, Span<byte> destination)
        where TDirection : struct, IAesDirection
    {
        fixed (byte* sourceStart = source, destinationStart = destination)
        {
            Vector128<byte>* from = (Vector128<byte>*)sourceStart;
            Vector128<byte>* to = (Vector128<byte>*)destinationStart;
            Vector128<byte>* end = from + (source.Length / 16);
            Vector128<byte>* last = TDirection.Keys(_key) + _key.Rounds;
            for (; from + 8 <= end; from += 8, to += 8)
            {
                Vector128<byte>* keys = TDirection.Keys(_key);
                Vector128<byte> key = *keys;
                Vector128<byte> a = from[0] ^ key, b = from[1] ^ key, c = from[2] ^ key, d = from[3] ^ key;
                Vector128<byte> e = from[4] ^ key, f = from[5] ^ key, g = from[6] ^ key, h = from[7] ^ key;
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
                to[0] = TDirection.LastRound(a, key);
                to[1] = TDirection.LastRound(b, key);
                to[2] = TDirection.LastRound(c, key);
                to[3] = TDirection.LastRound(d, key);
                to[4] = TDirection.LastRound(e, key);
                to[5] = TDirection.LastRound(f, key);
                to[6] = TDirection.LastRound(g, key);
                to[7] = TDirection.LastRound(h, key);
            }

            for (; from < end; from++, to++)
            {
                Vector128<byte>* keys = TDirection.Keys(_key);
                Vector128<byte> block = *from ^ *keys;
                while (++keys < last)
                {
                    block = TDirection.Round(block, *keys);
                }

                *to = TDirection.LastRound(block, *last);
            }
        }
    }
}
