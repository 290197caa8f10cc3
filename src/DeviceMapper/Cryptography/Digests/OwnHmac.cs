using DeviceMapper.Native;

namespace DeviceMapper.Cryptography.Digests;

/// <summary>HMAC (RFC 2104) of what no library has it for: digests that are cut off, and what only the kernel takes for a hash.</summary>
internal sealed class OwnHmac : JoinedDigest
{
    private readonly Digest _digest;
    private readonly int _blockSize;
    private readonly SecretMemory _blocks; // the key, changed for the inner and for the outer hash

    private OwnHmac(Digest digest, int blockSize, ReadOnlySpan<byte> key)
    {
        _digest = digest;
        _blockSize = blockSize;
        _blocks = new SecretMemory(2 * blockSize);
        if (key.Length > blockSize)
        {
            digest.Hash(key, _blocks.Span);
        }
        else
        {
            key.CopyTo(_blocks.Span);
        }

        _blocks.Span[..blockSize].CopyTo(_blocks.Span[blockSize..]);
        for (int i = 0; i < blockSize; i++)
        {
            _blocks.Span[i] ^= 0x36;
            _blocks.Span[blockSize + i] ^= 0x5c;
        }
    }

    /// <inheritdoc/>
    public override int Size => _digest.Size;

    /// <inheritdoc/>
    public override bool IsKeyed => true;

    /// <summary>Makes it of a hash and a key of any length; null where the hash has no blocks.</summary>
    /// <exception cref="DmException">ENOENT: libgcrypt is missing. ENOKEY: a key that cannot be hashed, being too short for the hash's own.</exception>
    public static OwnHmac? TryCreate(string hash, ReadOnlySpan<byte> key) => (hash.EndsWith("-generic", StringComparison.Ordinal) ? hash[..^8] : hash) switch
    {
        "wp256" or "wp384" => GcryptDigest.TryCreate(hash, secure: true) is { } digest ? new OwnHmac(digest, 64, key) : null,
        "xxhash64" => new OwnHmac(Checksum.TryCreate(hash)!, 32, key),
        "poly1305" when key.Length is > Poly1305.BlockSize and < Poly1305Digest.KeySize =>
            throw new DmException(Errno.ENOKEY, $"hmac(poly1305) takes a key of up to {Poly1305.BlockSize} bytes, or of at least {Poly1305Digest.KeySize}, not of {key.Length}"),
        "poly1305" => new OwnHmac(new Poly1305Digest(), Poly1305.BlockSize, key),
        _ => null,
    };

    /// <inheritdoc/>
    public override void Dispose()
    {
        _digest.Dispose();
        _blocks.Dispose();
    }

    /// <inheritdoc/>
    protected override void HashWhole(ReadOnlySpan<byte> bytes, Span<byte> digest)
    {
        Span<byte> inner = stackalloc byte[LargestSize];
        inner = inner[..Size];
        _digest.Hash(_blocks.Span[.._blockSize], bytes, inner);
        _digest.Hash(_blocks.Span[_blockSize..], inner, digest);
    }
}
