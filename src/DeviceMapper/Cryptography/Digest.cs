using DeviceMapper.Native;

namespace DeviceMapper.Cryptography;

/// <summary>A hash or checksum, with its key where it has one. Used by many threads at once.</summary>
internal abstract class Digest : IDisposable
{
    /// <summary>The largest <see cref="Size"/>.</summary>
    public const int LargestSize = 64;

    /// <summary>Bytes that it makes.</summary>
    public abstract int Size { get; }

    /// <summary>Whether it depends on a key, so that nobody without the key can make it.</summary>
    public virtual bool IsKeyed => false;

    /// <summary>The digest of two runs of bytes, one after the other.</summary>
    /// <param name="first">May be empty.</param>
    /// <param name="second">May be empty.</param>
    /// <param name="digest"><see cref="Size"/> bytes.</param>
    public abstract void Hash(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> digest);

    /// <summary>The digest of a run of bytes.</summary>
    public void Hash(ReadOnlySpan<byte> bytes, Span<byte> digest) => Hash(bytes, default, digest);

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>Makes the digest that the kernel knows by a name, without a key.</summary>
    /// <exception cref="DmException">ENOENT: there is none.</exception>
    public static Digest Create(string name) =>
        (Digest?)Checksum.TryCreate(name)
        ?? EvpDigest.TryCreate(name)
        ?? GcryptDigest.TryCreate(name)
        ?? throw new DmException(Errno.ENOENT, $"there is no hash '{name}'");

    /// <summary>Makes the digest that the kernel knows by a name, with a key.</summary>
    /// <exception cref="DmException">ENOENT: there is none. ENOSYS: it takes no key. EINVAL: the key does not fit it.</exception>
    public static Digest Create(string name, ReadOnlySpan<byte> key)
    {
        if (IsHmac(name))
        {
            return KeyedDigest.Create(name, key);
        }

        if (CipherDigest.TryCreate(name, key) is { } digest)
        {
            return digest;
        }

        if (Checksum.TryCreate(name, key) is { } checksum)
        {
            return checksum;
        }

        Create(name).Dispose();
        throw new DmException(Errno.ENOSYS, $"the hash '{name}' takes no key");
    }

    /// <summary>Whether a name says a digest that must have a key.</summary>
    public static bool NeedsKey(string name) => IsHmac(name) || CipherDigest.IsName(name);

    private static bool IsHmac(string name) => name.StartsWith("hmac(", StringComparison.Ordinal) && name.EndsWith(')');
}
