using DeviceMapper.Native;

namespace DeviceMapper.Cryptography.Digests;

/// <summary>A hash that libgcrypt has and libcrypto has not.</summary>
internal sealed unsafe class GcryptDigest : Digest
{
    private const uint Secure = 1; // GCRY_MD_FLAG_SECURE
    private const uint SecureAndHmac = Secure | 2; // GCRY_MD_FLAG_HMAC

    // The kernel's names, libgcrypt's numbers (gcrypt.h, GCRY_MD_*), and bytes of the digest, which the kernel cuts off of some.
    private static readonly Dictionary<string, (int Algorithm, int Size)> _algorithms = new()
    {
        ["md4"] = (301, 16),
        ["rmd160"] = (3, 20),
        ["sm3"] = (326, 32),
        ["streebog256"] = (309, 32),
        ["streebog512"] = (310, 64),
        ["wp256"] = (305, 32),
        ["wp384"] = (305, 48),
        ["wp512"] = (305, 64),
        ["blake2b-160"] = (321, 20),
        ["blake2b-256"] = (320, 32),
        ["blake2b-384"] = (319, 48),
        ["blake2b-512"] = (318, 64),
    };

    private readonly int _algorithm;
    private readonly uint _flags;
    private readonly HandlePool _handles;
    private readonly SecretMemory? _key; // of an HMAC

    private GcryptDigest(int algorithm, int size, uint flags, SecretMemory? key = null)
    {
        _algorithm = algorithm;
        _flags = flags;
        _key = key;
        Size = size;
        _handles = new HandlePool(Open, LibGcrypt.CloseHash);
    }

    /// <inheritdoc/>
    public override int Size { get; }

    /// <inheritdoc/>
    public override bool IsKeyed => _key is not null;

    /// <summary>Makes the hash of a name; null where libgcrypt has none.</summary>
    /// <param name="name">The kernel's name.</param>
    /// <param name="secure">What it hashes is a secret: contexts lie in libgcrypt's secure memory.</param>
    public static GcryptDigest? TryCreate(string name, bool secure = false) =>
        TryFind(name, out int algorithm, out int size) ? new GcryptDigest(algorithm, size, secure ? Secure : 0) : null;

    /// <summary>Makes the HMAC of a hash; null where libgcrypt has none, which it has of no hash that is cut off.</summary>
    public static GcryptDigest? TryCreateHmac(string name, ReadOnlySpan<byte> key) =>
        TryFind(name, out int algorithm, out int size) && size == LibGcrypt.HashSize(algorithm) ? new GcryptDigest(algorithm, size, SecureAndHmac, new SecretMemory(key)) : null;

    /// <inheritdoc/>
    public override void Hash(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> digest)
    {
        nint handle = _handles.Take();
        fixed (byte* a = first, b = second)
        {
            LibGcrypt.WriteHash(handle, a, (nuint)first.Length);
            LibGcrypt.WriteHash(handle, b, (nuint)second.Length);
        }

        new ReadOnlySpan<byte>(LibGcrypt.ReadHash(handle, _algorithm), Size).CopyTo(digest);
        LibGcrypt.ResetHash(handle);
        _handles.Give(handle);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _handles.Dispose();
        _key?.Dispose();
    }

    private static bool TryFind(string name, out int algorithm, out int size)
    {
        bool found = _algorithms.TryGetValue(name.EndsWith("-generic", StringComparison.Ordinal) ? name[..^8] : name, out (int, int) hash);
        (algorithm, size) = hash;
        if (!found)
        {
            return false;
        }

        LibGcrypt.Load(name);
        return LibGcrypt.HashSize(algorithm) != 0;
    }

    private nint Open()
    {
        if (LibGcrypt.OpenHash(out nint handle, _algorithm, _flags) != 0)
        {
            throw new DmException(Errno.ENOMEM, "libgcrypt could not make a context of a hash");
        }

        if (_key is not null && LibGcrypt.SetHashKey(handle, _key.Address, (nuint)_key.Length) != 0)
        {
            LibGcrypt.CloseHash(handle);
            throw new DmException(Errno.EINVAL, $"libgcrypt takes no key of {_key.Length} bytes for a keyed hash");
        }

        return handle;
    }
}
