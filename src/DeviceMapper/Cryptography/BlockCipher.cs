using DeviceMapper.Native;

namespace DeviceMapper.Cryptography;

/// <summary>A block cipher with a key: blocks are encrypted each for itself (ECB); modes are built over it. Used by many threads at once.</summary>
internal abstract class BlockCipher : IDisposable
{
    /// <summary>Bytes of a block.</summary>
    public abstract int BlockSize { get; }

    /// <summary>Takes a key; not while others encrypt.</summary>
    /// <exception cref="DmException">EINVAL: the cipher has no keys of this size.</exception>
    public abstract void SetKey(ReadOnlySpan<byte> key);

    /// <summary>Encrypts whole blocks. Source and destination may be the same, but not overlap otherwise.</summary>
    public abstract void Encrypt(ReadOnlySpan<byte> source, Span<byte> destination);

    /// <summary>Decrypts whole blocks. Source and destination may be the same, but not overlap otherwise.</summary>
    public abstract void Decrypt(ReadOnlySpan<byte> source, Span<byte> destination);

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>The refusal of a key.</summary>
    protected static DmException WrongKeySize(string cipher, int size, string expected) =>
        new(Errno.EINVAL, $"{cipher} takes keys of {expected} bytes, not of {size}");
}
