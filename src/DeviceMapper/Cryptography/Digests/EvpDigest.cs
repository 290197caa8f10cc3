using DeviceMapper.Native;

namespace DeviceMapper.Cryptography.Digests;

/// <summary>A hash of libcrypto.</summary>
internal sealed unsafe class EvpDigest : Digest
{
    // The kernel's names, where libcrypto has others.
    private static readonly Dictionary<string, string> _names = new()
    {
        ["md5"] = "MD5",
        ["sha1"] = "SHA1",
        ["sha224"] = "SHA2-224",
        ["sha256"] = "SHA2-256",
        ["sha384"] = "SHA2-384",
        ["sha512"] = "SHA2-512",
        ["sha3-224"] = "SHA3-224",
        ["sha3-256"] = "SHA3-256",
        ["sha3-384"] = "SHA3-384",
        ["sha3-512"] = "SHA3-512",
        ["rmd160"] = "RIPEMD160",
        ["sm3"] = "SM3",
        ["blake2b-512"] = "BLAKE2B-512",
        ["blake2s-256"] = "BLAKE2S-256",
    };

    private readonly nint _digest;

    private EvpDigest(nint digest)
    {
        _digest = digest;
        Size = LibCrypto.DigestSize(digest);
        BlockSize = LibCrypto.DigestBlockSize(digest);
        Contexts = new HandlePool(LibCrypto.NewDigestContext, LibCrypto.FreeDigestContext);
    }

    /// <inheritdoc/>
    public override int Size { get; }

    /// <summary>Bytes that it takes at once.</summary>
    public int BlockSize { get; }

    /// <summary>Contexts of libcrypto.</summary>
    internal HandlePool Contexts { get; }

    /// <summary>Makes the hash of a name; null where libcrypto has none.</summary>
    public static EvpDigest? TryCreate(string name)
    {
        if (!_names.TryGetValue(name.EndsWith("-generic", StringComparison.Ordinal) ? name[..^8] : name, out string? theirs))
        {
            return null;
        }

        nint digest = LibCrypto.FetchDigest(0, theirs, null);
        return digest == 0 ? null : new EvpDigest(digest);
    }

    /// <inheritdoc/>
    public override void Hash(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> digest)
    {
        nint context = Contexts.Take();
        Start(context);
        Update(context, first);
        Update(context, second);
        Finish(context, digest);
        Contexts.Give(context);
    }

    /// <summary>Starts a hash in a context.</summary>
    internal void Start(nint context) => Check(LibCrypto.StartDigest(context, _digest, 0));

    /// <summary>Takes bytes.</summary>
    internal static void Update(nint context, ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        fixed (byte* data = bytes)
        {
            Check(LibCrypto.UpdateDigest(context, data, (nuint)bytes.Length));
        }
    }

    /// <summary>Ends a hash.</summary>
    internal void Finish(nint context, Span<byte> digest)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(digest.Length, Size);
        fixed (byte* to = digest)
        {
            Check(LibCrypto.FinishDigest(context, to, null));
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        Contexts.Dispose();
        LibCrypto.FreeDigest(_digest);
    }

    private static void Check(int result)
    {
        if (result != 1)
        {
            throw new DmException(Errno.ENOMEM, "libcrypto could not compute a hash");
        }
    }
}
