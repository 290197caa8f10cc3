using System.Runtime.CompilerServices;

namespace DeviceMapper.Cryptography.Modes;

/// <summary>Cipher block chaining: <c>cbc(CIPHER)</c>, and with propagation <c>pcbc(CIPHER)</c>.</summary>
/// <param name="cipher">What encrypts the blocks.</param>
/// <param name="propagating">PCBC: the plaintext of a block is chained too.</param>
internal sealed class CbcMode(BlockCipher cipher, bool propagating = false) : SectorCipher
{
    private const int Chunk = 512; // decrypted in one call: its blocks do not depend on each other

    /// <inheritdoc/>
    public override int IvSize => cipher.BlockSize;

    /// <inheritdoc/>
    public override int BlockSize => cipher.BlockSize;

    /// <inheritdoc/>
    public override void SetKey(ReadOnlySpan<byte> key) => cipher.SetKey(key);

    /// <inheritdoc/>
    public override void Encrypt(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv)
    {
        int size = cipher.BlockSize;
        Span<byte> chain = stackalloc byte[size];
        Span<byte> plain = stackalloc byte[size];
        iv[..size].CopyTo(chain);
        for (int at = 0; at < source.Length; at += size)
        {
            Span<byte> block = destination.Slice(at, size);
            source.Slice(at, size).CopyTo(plain);
            Bytes.Xor(chain, plain, block);
            cipher.Encrypt(block, block);
            block.CopyTo(chain);
            if (propagating)
            {
                Bytes.Xor(chain, plain, chain);
            }
        }
    }

    /// <inheritdoc/>
    [SkipLocalsInit]
    public override void Decrypt(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv)
    {
        int size = cipher.BlockSize;
        Span<byte> before = stackalloc byte[size + Chunk]; // what is chained into each block: the ciphertext before it
        iv[..size].CopyTo(before);
        for (int at = 0; at < source.Length; at += Chunk)
        {
            int length = Math.Min(Chunk, source.Length - at);
            ReadOnlySpan<byte> from = source.Slice(at, length);
            Span<byte> to = destination.Slice(at, length);
            from.CopyTo(before[size..]);
            cipher.Decrypt(from, to);
            if (propagating)
            {
                Propagate(before, to, size);
            }
            else
            {
                Bytes.Xor(to, before[..length], to);
            }

            before.Slice(length, size).CopyTo(before);
        }
    }

    /// <inheritdoc/>
    public override void Dispose() => cipher.Dispose();

    /// <summary>Chains plaintext and ciphertext of each block into the next; leaves what goes into the next chunk where the last ciphertext was.</summary>
    private static void Propagate(Span<byte> before, Span<byte> to, int size)
    {
        for (int at = 0; at < to.Length; at += size)
        {
            Span<byte> block = to.Slice(at, size);
            Bytes.Xor(block, before.Slice(at, size), block);
            Span<byte> next = before.Slice(at + size, size);
            Bytes.Xor(next, block, next);
        }
    }
}
