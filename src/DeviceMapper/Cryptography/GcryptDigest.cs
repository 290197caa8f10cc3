using DeviceMapper.Native;

namespace DeviceMapper.Cryptography;

/// <summary>A hash that libgcrypt has and libcrypto has not.</summary>
internal sealed unsafe class GcryptDigest : Digest
{
    // The kernel's names, and libgcrypt's numbers (gcrypt.h, GCRY_MD_*).
    private static readonly Dictionary<string, int> _algorithms = new()
    {
        ["md4"] = 301,
        ["rmd160"] = 3,
        ["sm3"] = 326,
        ["streebog256"] = 309,
        ["streebog512"] = 310,
        ["wp512"] = 305,
        ["blake2b-160"] = 321,
        ["blake2b-256"] = 320,
        ["blake2b-384"] = 319,
        ["blake2b-512"] = 318,
    };

    private readonly int _algorithm;
    private readonly HandlePool _handles;

    private GcryptDigest(int algorithm)
    {
        _algorithm = algorithm;
        Size = (int)LibGcrypt.HashSize(algorithm);
        _handles = new HandlePool(Open, LibGcrypt.CloseHash);
    }

    /// <inheritdoc/>
    public override int Size { get; }

    /// <summary>Makes the hash of a name; null where libgcrypt has none.</summary>
    public static GcryptDigest? TryCreate(string name)
    {
        if (!_algorithms.TryGetValue(name.EndsWith("-generic", StringComparison.Ordinal) ? name[..^8] : name, out int algorithm))
        {
            return null;
        }

        LibGcrypt.Load(name);
        return LibGcrypt.HashSize(algorithm) == 0 ? null : new GcryptDigest(algorithm);
    }

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
    public override void Dispose() => _handles.Dispose();

    private nint Open() => LibGcrypt.OpenHash(out nint handle, _algorithm, 0) == 0
        ? handle
        : throw new DmException(Errno.ENOMEM, "libgcrypt could not make a context of a hash");
}
