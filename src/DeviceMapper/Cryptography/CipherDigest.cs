using DeviceMapper.Native;

namespace DeviceMapper.Cryptography;

/// <summary>A keyed hash made of a block cipher, CMAC (RFC 4493, NIST SP 800-38B): <c>cmac(CIPHER)</c>.</summary>
internal sealed class CipherDigest : Digest
{
    private const int BlockSize = 16;

    private readonly BlockCipher _cipher;
    private readonly SecretMemory _subkeys = new(2 * BlockSize); // for a last block that is whole; for one that is not

    private CipherDigest(BlockCipher cipher, ReadOnlySpan<byte> key)
    {
        _cipher = cipher;
        try
        {
            cipher.SetKey(key);
        }
        catch
        {
            Dispose();
            throw;
        }

        Span<byte> whole = _subkeys.Span[..BlockSize];
        cipher.Encrypt(whole, whole);
        Double(whole);
        whole.CopyTo(_subkeys.Span[BlockSize..]);
        Double(_subkeys.Span[BlockSize..]);
    }

    /// <inheritdoc/>
    public override int Size => BlockSize;

    /// <inheritdoc/>
    public override bool IsKeyed => true;

    /// <summary>Whether a name says such a hash.</summary>
    public static bool IsName(string name) => name.StartsWith("cmac(", StringComparison.Ordinal) && name.EndsWith(')');

    /// <summary>Makes the hash of a name; null where the name says another kind.</summary>
    /// <exception cref="DmException">ENOENT: there is no such cipher. EINVAL: its blocks have another size, or the key does not fit it.</exception>
    public static CipherDigest? TryCreate(string name, ReadOnlySpan<byte> key) =>
        IsName(name) ? new CipherDigest(Ciphers.CreateBlockCipher(name["cmac(".Length..^1], BlockSize), key) : null;

    /// <inheritdoc/>
    public override void Hash(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> digest)
    {
        Span<byte> state = stackalloc byte[BlockSize];
        state.Clear();
        int filled = 0; // bytes of the block that state has taken, and that is not encrypted yet
        Take(first, state, ref filled);
        Take(second, state, ref filled);
        if (filled < BlockSize)
        {
            state[filled] ^= 0x80;
        }

        Bytes.Xor(state, _subkeys.Span.Slice(filled == BlockSize ? 0 : BlockSize, BlockSize), state);
        _cipher.Encrypt(state, digest[..BlockSize]);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _cipher.Dispose();
        _subkeys.Dispose();
    }

    private void Take(ReadOnlySpan<byte> bytes, Span<byte> state, ref int filled)
    {
        while (!bytes.IsEmpty)
        {
            if (filled == BlockSize)
            {
                _cipher.Encrypt(state, state);
                filled = 0;
            }

            int count = Math.Min(BlockSize - filled, bytes.Length);
            Span<byte> part = state.Slice(filled, count);
            Bytes.Xor(part, bytes[..count], part);
            filled += count;
            bytes = bytes[count..];
        }
    }

    /// <summary>Multiplies by x in the field of 2^128 elements, big endian.</summary>
    private static void Double(Span<byte> number)
    {
        int carry = number[0] >> 7;
        for (int i = 0; i < BlockSize - 1; i++)
        {
            number[i] = (byte)((number[i] << 1) | (number[i + 1] >> 7));
        }

        number[BlockSize - 1] = (byte)((number[BlockSize - 1] << 1) ^ (carry * 0x87));
    }
}
