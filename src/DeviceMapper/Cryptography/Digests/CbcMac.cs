using DeviceMapper.Native;

namespace DeviceMapper.Cryptography.Digests;

/// <summary>
/// Keyed hashes made of a block cipher, of which each block is encrypted together with what came of the one before: <c>cmac(CIPHER)</c> (RFC 4493, NIST
/// SP 800-38B), <c>xcbc(CIPHER)</c> (RFC 3566), which differ from <c>cbcmac(CIPHER)</c> by what is added to the last block.
/// </summary>
internal sealed class CbcMac : Digest
{
    private readonly BlockCipher _cipher;
    private readonly bool _marksEnd; // a last block that is not whole
    private readonly SecretMemory _whole; // is added to a last block that is whole
    private readonly SecretMemory _part; // to one that is not

    private CbcMac(string kind, BlockCipher cipher, ReadOnlySpan<byte> key)
    {
        _cipher = cipher;
        _marksEnd = kind != "cbcmac";
        _whole = new SecretMemory(cipher.BlockSize);
        _part = new SecretMemory(cipher.BlockSize);
        try
        {
            cipher.SetKey(key);
            switch (kind)
            {
                case "cmac":
                    cipher.Encrypt(_whole.Span, _whole.Span);
                    Double(_whole.Span);
                    _whole.Span.CopyTo(_part.Span);
                    Double(_part.Span);
                    break;
                case "xcbc":
                    using (SecretMemory own = new(cipher.BlockSize))
                    {
                        own.Span.Fill(1);
                        _whole.Span.Fill(2);
                        _part.Span.Fill(3);
                        cipher.Encrypt(own.Span, own.Span);
                        cipher.Encrypt(_whole.Span, _whole.Span);
                        cipher.Encrypt(_part.Span, _part.Span);
                        cipher.SetKey(own.Span);
                    }

                    break;
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override int Size => _cipher.BlockSize;

    /// <inheritdoc/>
    public override bool IsKeyed => true;

    /// <summary>Whether a name says such a hash.</summary>
    public static bool IsName(string name) => Split(name, out _) is not null;

    /// <summary>Makes the hash of a name; null where the name says another kind.</summary>
    /// <exception cref="DmException">ENOENT: there is no such cipher. EINVAL: its blocks have another size than the hash takes, or the key does not fit it.</exception>
    public static CbcMac? TryCreate(string name, ReadOnlySpan<byte> key)
    {
        return Split(name, out string cipher) is { } kind ? new CbcMac(kind, CreateCipher(kind, cipher), key) : null;
    }

    /// <summary>Refuses the name of such a hash whose cipher is not there.</summary>
    /// <exception cref="DmException">ENOENT: there is no such cipher. EINVAL: its blocks have another size than the hash takes.</exception>
    public static void CheckName(string name)
    {
        if (Split(name, out string cipher) is { } kind)
        {
            CreateCipher(kind, cipher).Dispose();
        }
    }

    /// <inheritdoc/>
    public override void Hash(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> digest)
    {
        int size = _cipher.BlockSize;
        Span<byte> state = stackalloc byte[size];
        state.Clear();
        int filled = 0; // bytes of the block that state has taken, and that is not encrypted yet
        Take(first, state, ref filled);
        Take(second, state, ref filled);
        if (filled < size && _marksEnd)
        {
            state[filled] ^= 0x80;
        }

        Bytes.Xor(state, filled == size ? _whole.Span : _part.Span, state);
        _cipher.Encrypt(state, digest[..size]);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _cipher.Dispose();
        _whole.Dispose();
        _part.Dispose();
    }

    private void Take(ReadOnlySpan<byte> bytes, Span<byte> state, ref int filled)
    {
        while (!bytes.IsEmpty)
        {
            if (filled == state.Length)
            {
                _cipher.Encrypt(state, state);
                filled = 0;
            }

            int count = Math.Min(state.Length - filled, bytes.Length);
            Span<byte> part = state.Slice(filled, count);
            Bytes.Xor(part, bytes[..count], part);
            filled += count;
            bytes = bytes[count..];
        }
    }

    /// <summary>Multiplies by x in the field of 2^64 or 2^128 elements, big endian.</summary>
    private static void Double(Span<byte> number)
    {
        int carry = number[0] >> 7;
        for (int i = 0; i < number.Length - 1; i++)
        {
            number[i] = (byte)((number[i] << 1) | (number[i + 1] >> 7));
        }

        number[^1] = (byte)((number[^1] << 1) ^ (carry * (number.Length == 8 ? 0x1b : 0x87)));
    }

    private static BlockCipher CreateCipher(string kind, string name)
    {
        BlockCipher cipher = Ciphers.CreateBlockCipher(name, kind == "xcbc" ? 16 : 0);
        if (kind == "cmac" && cipher.BlockSize is not (8 or 16))
        {
            cipher.Dispose();
            throw new DmException(Errno.EINVAL, $"{name} has blocks of {cipher.BlockSize} bytes, and cmac needs 8 or 16");
        }

        return cipher;
    }

    private static string? Split(string name, out string cipher)
    {
        cipher = string.Empty;
        if (!Ciphers.TrySplit(name, out string template, out string[] parts) || parts.Length != 1 || template is not ("cmac" or "xcbc" or "cbcmac"))
        {
            return null;
        }

        cipher = parts[0];
        return template;
    }
}
