using DeviceMapper.Native;

namespace DeviceMapper.Cryptography;

/// <summary>A keyed hash, HMAC (RFC 2104): <c>hmac(HASH)</c>. Keeps only what the key comes to after a block of each of the two hashes.</summary>
internal sealed class KeyedDigest : Digest
{
    private readonly EvpDigest _digest;
    private readonly nint _inner;
    private readonly nint _outer;

    private KeyedDigest(EvpDigest digest, ReadOnlySpan<byte> key)
    {
        _digest = digest;
        using SecretMemory block = new(digest.BlockSize);
        if (key.Length > digest.BlockSize)
        {
            digest.Hash(key, block.Span[..digest.Size]);
        }
        else
        {
            key.CopyTo(block.Span);
        }

        _inner = Start(block.Span, 0x36);
        _outer = Start(block.Span, 0x36 ^ 0x5c);
    }

    /// <inheritdoc/>
    public override int Size => _digest.Size;

    /// <inheritdoc/>
    public override bool IsKeyed => true;

    /// <summary>Makes the digest of <c>NAME[:KEY]</c>, with the key in hexadecimal digits.</summary>
    /// <exception cref="DmException">ENOENT: there is none of the name. EINVAL: the key is malformed, missing, or not for this digest.</exception>
    public static Digest Parse(string text)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string name = colon < 0 ? text : text[..colon];
        string? digits = colon < 0 ? null : text[(colon + 1)..];
        bool keyed = name.StartsWith("hmac(", StringComparison.Ordinal) && name.EndsWith(')');
        if (!keyed)
        {
            return digits is null ? Digest.Create(name) : throw new DmException(Errno.EINVAL, $"integrity: the hash '{name}' takes no key");
        }

        if (Digest.Create(name[5..^1]) is not EvpDigest digest)
        {
            throw new DmException(Errno.ENOENT, $"there is no keyed hash '{name}'");
        }

        if (string.IsNullOrEmpty(digits))
        {
            digest.Dispose();
            throw new DmException(Errno.EINVAL, $"integrity: the hash '{name}' needs a key: {name}:KEY");
        }

        using SecretMemory key = new(digits.Length / 2);
        if (digits.Length % 2 != 0 || Convert.FromHexString(digits, key.Span, out _, out _) != System.Buffers.OperationStatus.Done)
        {
            digest.Dispose();
            throw new DmException(Errno.EINVAL, $"integrity: the key of '{name}' is not of pairs of hexadecimal digits");
        }

        return new KeyedDigest(digest, key.Span);
    }

    /// <inheritdoc/>
    public override void Hash(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> digest)
    {
        nint context = _digest.Contexts.Take();
        LibCrypto.CopyDigestContext(context, _inner);
        EvpDigest.Update(context, first);
        EvpDigest.Update(context, second);
        _digest.Finish(context, digest);
        LibCrypto.CopyDigestContext(context, _outer);
        EvpDigest.Update(context, digest[.._digest.Size]);
        _digest.Finish(context, digest);
        _digest.Contexts.Give(context);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        LibCrypto.FreeDigestContext(_inner);
        LibCrypto.FreeDigestContext(_outer);
        _digest.Dispose();
    }

    /// <summary>Starts one of the two hashes with the key, changed by a byte; the block stays changed.</summary>
    private nint Start(Span<byte> block, byte change)
    {
        foreach (ref byte b in block)
        {
            b ^= change;
        }

        nint context = LibCrypto.NewDigestContext();
        _digest.Start(context);
        EvpDigest.Update(context, block);
        return context;
    }
}
