namespace DeviceMapper.Cryptography;

/// <summary>
/// A cipher in a mode, with a key: encrypts sectors, each with an initialisation vector of its own (the kernel's
/// <c>crypto_skcipher</c>). Used by many threads at once.
/// </summary>
internal abstract class SectorCipher : IDisposable
{
    /// <summary>The largest <see cref="IvSize"/>.</summary>
    public const int LargestIv = 32;

    /// <summary>Bytes of an initialisation vector; 0 for a mode without.</summary>
    public abstract int IvSize { get; }

    /// <summary>What lengths must be multiples of; 1 for a stream.</summary>
    public abstract int BlockSize { get; }

    /// <summary>Takes a key; not while others encrypt.</summary>
    /// <exception cref="DmException">EINVAL: the key has a size that the cipher does not take.</exception>
    public abstract void SetKey(ReadOnlySpan<byte> key);

    /// <summary>Encrypts a sector. Source and destination may be the same, but not overlap otherwise.</summary>
    public abstract void Encrypt(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv);

    /// <summary>Decrypts a sector. Source and destination may be the same, but not overlap otherwise.</summary>
    public abstract void Decrypt(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv);

    /// <inheritdoc/>
    public abstract void Dispose();
}
