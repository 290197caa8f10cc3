using DeviceMapper.Native;

namespace DeviceMapper.Cryptography.Digests;

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
    /// <exception cref="DmException">ENOENT: there is none. ENOKEY: it needs a key.</exception>
    public static Digest Create(string name)
    {
        if (NeedsKey(name))
        {
            // What is not there is told first.
            if (IsHmac(name))
            {
                CreateHmac(name["hmac(".Length..^1], default).Dispose();
            }
            else
            {
                CbcMac.CheckName(name);
            }

            throw new DmException(Errno.ENOKEY, $"the hash '{name}' needs a key");
        }

        return name switch
        {
            "poly1305" or "poly1305-generic" => new Poly1305Digest(),
            _ => (Digest?)Checksum.TryCreate(name)
                ?? (Digest?)EvpDigest.TryCreate(name)
                ?? GcryptDigest.TryCreate(name)
                ?? throw new DmException(Errno.ENOENT, $"there is no hash '{name}'"),
        };
    }

    /// <summary>Makes the digest that the kernel knows by a name, with a key.</summary>
    /// <exception cref="DmException">ENOENT: there is none. ENOSYS: it takes no key. EINVAL: the key does not fit it.</exception>
    public static Digest Create(string name, ReadOnlySpan<byte> key)
    {
        Digest? digest = IsHmac(name) ? CreateHmac(name["hmac(".Length..^1], key) : name switch
        {
            "ghash" or "ghash-generic" => new Ghash(key),
            "michael_mic" or "michael_mic-generic" => new MichaelMic(key),
            "nhpoly1305" or "nhpoly1305-generic" => new NhPoly1305(key),
            _ => (Digest?)CbcMac.TryCreate(name, key) ?? Checksum.TryCreate(name, key),
        };
        if (digest is null)
        {
            Create(name).Dispose();
            throw new DmException(Errno.ENOSYS, $"the hash '{name}' takes no key");
        }

        return digest;
    }

    /// <summary>Whether a name says a digest that must have a key.</summary>
    public static bool NeedsKey(string name) => IsHmac(name) || CbcMac.IsName(name)
        || name is "ghash" or "ghash-generic" or "michael_mic" or "michael_mic-generic" or "nhpoly1305" or "nhpoly1305-generic";

    private static bool IsHmac(string name) => name.StartsWith("hmac(", StringComparison.Ordinal) && name.EndsWith(')');

    private static Digest CreateHmac(string hash, ReadOnlySpan<byte> key)
    {
        if (EvpDigest.TryCreate(hash) is { } evp)
        {
            return new Hmac(evp, key);
        }

        if (GcryptDigest.TryCreateHmac(hash, key) is { } gcrypt)
        {
            return gcrypt;
        }

        if (OwnHmac.TryCreate(hash, key) is { } own)
        {
            return own;
        }

        if (!NeedsKey(hash))
        {
            Create(hash).Dispose();
        }

        throw new DmException(Errno.EINVAL, $"'hmac({hash})' is not a keyed hash: what it is made of has no block to put a key in");
    }
}
