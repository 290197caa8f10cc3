namespace DeviceMapper.Cryptography;

/// <summary>
/// A cipher that authenticates what it encrypts, and associated data beside it (the kernel's <c>crypto_aead</c>). The initialisation vector is the
/// end of the associated data, as dm-crypt has it. Used by many threads at once.
/// </summary>
internal abstract class AeadCipher : IDisposable
{
    /// <summary>Bytes of an initialisation vector; 0 for a mode without.</summary>
    public abstract int IvSize { get; }

    /// <summary>What lengths must be multiples of; 1 for a stream.</summary>
    public abstract int BlockSize { get; }

    /// <summary>Bytes at the end of the key that only authenticate; 0 where all of it does both.</summary>
    public virtual int AuthenticationKeySize => 0;

    /// <summary>Whether there are tags of a size, in bytes.</summary>
    public abstract bool TakesTag(int size);

    /// <summary>Takes a key; not while others encrypt.</summary>
    /// <exception cref="DmException">EINVAL: the key has a size that the cipher does not take.</exception>
    public abstract void SetKey(ReadOnlySpan<byte> key);

    /// <summary>Encrypts a sector. Source and destination may be the same, but not overlap otherwise.</summary>
    /// <param name="source">The plaintext.</param>
    /// <param name="destination">As long.</param>
    /// <param name="associated">Authenticated only; its end is the vector. Undefined afterwards.</param>
    /// <param name="tag">Filled.</param>
    public abstract void Encrypt(ReadOnlySpan<byte> source, Span<byte> destination, Span<byte> associated, Span<byte> tag);

    /// <summary>Decrypts a sector. Source and destination may be the same, but not overlap otherwise.</summary>
    /// <returns>Whether the tag is right; where it is not, nothing of the plaintext is in the destination.</returns>
    public abstract bool Decrypt(ReadOnlySpan<byte> source, Span<byte> destination, Span<byte> associated, ReadOnlySpan<byte> tag);

    /// <inheritdoc/>
    public abstract void Dispose();
}
