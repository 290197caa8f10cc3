using DeviceMapper.Native;

namespace DeviceMapper.Cryptography.Digests;

/// <summary>A keyed hash, HMAC (RFC 2104), of libcrypto. Keeps only what the key comes to after a block of each of the two hashes.</summary>
internal sealed class Hmac : Digest
{
    private readonly EvpDigest _digest;
    private readonly nint _inner;
    private readonly nint _outer;

    /// <summary>Makes it of a hash, which it disposes of, and a key of any length.</summary>
    public Hmac(EvpDigest digest, ReadOnlySpan<byte> key)
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
