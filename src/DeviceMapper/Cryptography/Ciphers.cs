using DeviceMapper.Cryptography.Digests;
using DeviceMapper.Cryptography.Modes;
using DeviceMapper.Native;

namespace DeviceMapper.Cryptography;

/// <summary>
/// The ciphers and modes, by the names of the kernel's crypto API: <c>xts(aes)</c>, <c>essiv(cbc(aes),sha256)</c>,
/// <c>adiantum(xchacha12,aes)</c>.
/// </summary>
internal static class Ciphers
{
    private static readonly GcryptAlgorithm[] _gcrypt =
    [
        new("aes", 7, 16, 16, 24, 32),
        new("camellia", 310, 16, 16, 24, 32),
        new("serpent", 304, 16, [.. Enumerable.Range(0, 33)]),
        new("twofish", 10, 16, 16, 24, 32),
        new("sm4", 318, 16, 16),
        new("seed", 309, 16, 16),
        new("blowfish", 4, 8, [.. Enumerable.Range(4, 53)]),
        new("cast5", 3, 8, [.. Enumerable.Range(5, 12)]),
        new("des", 302, 8, 8),
        new("des3_ede", 2, 8, 24),
    ];

    /// <summary>ChaCha20, for the mode with Poly1305.</summary>
    public static GcryptAlgorithm ChaCha20 { get; } = new("chacha20", 316, 1, 32);

    /// <summary>Makes a cipher in a mode, without a key yet.</summary>
    /// <param name="specification">As <c>/proc/crypto</c> names it.</param>
    /// <exception cref="DmException">ENOENT: there is no such cipher or mode. EINVAL: they do not go together. EEXIST: it is another name of one that is there.</exception>
    public static SectorCipher CreateMode(string specification)
    {
        RefuseMore(specification);
        if (!TrySplit(specification, out string template, out string[] parts))
        {
            return ChaChaMode.TryCreate(specification) ?? throw NoSuch(specification);
        }

        switch (template, parts.Length)
        {
            case ("ecb", 1):
                return new EcbMode(CreateBlockCipher(parts[0]));
            case ("cbc", 1):
                return TryGcryptMode(parts[0], GcryptMode.Cbc) ?? new CbcMode(CreateBlockCipher(parts[0]));
            case ("pcbc", 1):
                return new CbcMode(CreateBlockCipher(parts[0]), propagating: true);
            case ("ctr", 1):
                return TryGcryptMode(parts[0], GcryptMode.Ctr) ?? new CtrMode(CreateBlockCipher(parts[0]));
            case ("xts", 1) when parts[0].StartsWith("ecb(", StringComparison.Ordinal) && TrySplit(parts[0], out _, out string[] block) && block.Length == 1:
                CreateXts(block[0]).Dispose();
                throw new DmException(Errno.EEXIST, $"'{specification}' is xts({block[0]}), which is there by that name");
            case ("xts", 1):
                return CreateXts(parts[0]);
            case ("lrw", 1):
                return new LrwMode(CreateBlockCipher(parts[0], 16));
            case ("cts", 1) when parts[0].StartsWith("cbc(", StringComparison.Ordinal):
                return new CtsMode(CreateMode(parts[0]));
            case ("rfc3686", 1) when parts[0].StartsWith("ctr(", StringComparison.Ordinal):
                return new Rfc3686Mode(CreateMode(parts[0]));
            case ("essiv", 2):
                return CreateEssiv(parts[0], parts[1]);
            case ("xctr", 1):
                return new XctrMode(CreateBlockCipher(parts[0], 16));
            case ("hctr2", 1):
                return new Hctr2(CreateBlockCipher(parts[0], 16));
            case ("hctr2_base", 2) when parts[1] == "polyval" && parts[0].StartsWith("xctr(", StringComparison.Ordinal) && TrySplit(parts[0], out _, out string[] block) && block.Length == 1:
                CreateMode($"hctr2({block[0]})").Dispose();
                throw new DmException(Errno.EEXIST, $"'{specification}' is hctr2({block[0]}), which is there by that name");
            case ("adiantum", 2):
                return Adiantum.Create(parts[0], parts[1]);
            case ("gcm" or "ccm" or "authenc" or "authencesn" or "rfc7539" or "rfc7539esp" or "rfc4106" or "rfc4309" or "rfc4543", _):
                if (template is "authenc" or "authencesn" && parts.Length == 2 && TrySplit(parts[0], out string mac, out string[] hash) && mac == "hmac" && hash.Length == 1)
                {
                    Digest.Create(hash[0]).Dispose(); // so that a hash that is not there is told first
                }

                throw new DmException(Errno.EINVAL, $"'{specification}' authenticates, which needs the option integrity:N:aead and a device that keeps tags");
            case ("cmac" or "hmac", 1):
                throw new DmException(Errno.EINVAL, $"'{specification}' is a hash, and no cipher");
            default:
                throw NoSuch(specification);
        }
    }

    /// <summary>The kernel reads a name up to the parenthesis that closes its first, makes the cipher, and finds that it is there by another name.</summary>
    private static void RefuseMore(string specification)
    {
        int depth = 0;
        for (int i = 0; i < specification.Length - 1; i++)
        {
            depth += specification[i] switch { '(' => 1, ')' => -1, _ => 0 };
            if (specification[i] == ')' && depth == 0)
            {
                string name = specification[..(i + 1)];
                CreateMode(name).Dispose();
                throw new DmException(Errno.EEXIST, $"'{specification}' has more behind '{name}', which is there already");
            }
        }
    }

    /// <summary>Makes a block cipher, without a key yet.</summary>
    /// <param name="name">The kernel's name.</param>
    /// <param name="blockSize">What its blocks must be, where the mode needs that.</param>
    /// <exception cref="DmException">ENOENT: there is no such cipher. EINVAL: its blocks have another size.</exception>
    public static BlockCipher CreateBlockCipher(string name, int blockSize = 0)
    {
        name = WithoutDriver(name);
        BlockCipher cipher = name switch
        {
            "aes" when AesBlockCipher.IsSupported => new AesBlockCipher(),
            "cipher_null" => new NullBlockCipher(),
            _ => new GcryptBlockCipher(FindGcrypt(name) ?? throw NoSuch(name)),
        };
        if (blockSize != 0 && cipher.BlockSize != blockSize)
        {
            cipher.Dispose();
            throw new DmException(Errno.EINVAL, $"{name} has blocks of {cipher.BlockSize} bytes, and the mode needs {blockSize}");
        }

        return cipher;
    }

    private static SectorCipher CreateXts(string name)
    {
        name = WithoutDriver(name);
        if (name == "aes" && AesBlockCipher.IsSupported)
        {
            return new AesXts();
        }

        if (FindGcrypt(name) is { BlockSize: 16 } algorithm)
        {
            return new GcryptMode(algorithm, GcryptMode.Xts);
        }

        return new XtsMode(CreateBlockCipher(name, 16), CreateBlockCipher(name, 16));
    }

    // A mode of libgcrypt's own, for its ciphers: it runs over many blocks at once.
    private static SectorCipher? TryGcryptMode(string name, int mode)
    {
        name = WithoutDriver(name);
        bool ours = name == "aes" && AesBlockCipher.IsSupported;
        return !ours && FindGcrypt(name) is { } algorithm ? new GcryptMode(algorithm, mode) : null;
    }

    private static EssivMode CreateEssiv(string mode, string hash)
    {
        string name = mode; // of the innermost cipher: aes, of cts(cbc(aes))
        while (TrySplit(name, out _, out string[] parts))
        {
            name = parts[0];
        }

        if (name == mode)
        {
            throw NoSuch(mode);
        }

        Digest.Create(hash).Dispose(); // so that a hash that is not there is told before a key that does not fit
        SectorCipher cipher = CreateMode(mode);
        return new EssivMode(cipher, CreateBlockCipher(name), hash);
    }

    /// <summary>The cipher of libgcrypt that the kernel knows by a name; null where it has none.</summary>
    public static GcryptAlgorithm? FindGcrypt(string name) => Array.Find(_gcrypt, a => a.Name == WithoutDriver(name));

    // The kernel takes the name of one implementation too: aes-generic, serpent-avx2.
    private static string WithoutDriver(string name) => name.EndsWith("-generic", StringComparison.Ordinal) ? name[..^8] : name;

    /// <summary>Takes <c>template(part,part)</c> apart.</summary>
    public static bool TrySplit(string specification, out string template, out string[] parts)
    {
        template = specification;
        parts = [];
        int open = specification.IndexOf('(', StringComparison.Ordinal);
        if (open <= 0 || specification[^1] != ')')
        {
            return false;
        }

        template = specification[..open];
        List<string> found = [];
        int depth = 0;
        int start = open + 1;
        for (int i = start; i < specification.Length; i++)
        {
            depth += specification[i] switch { '(' => 1, ')' => -1, _ => 0 };
            if ((specification[i] == ',' && depth == 0) || depth < 0)
            {
                found.Add(specification[start..i]);
                start = i + 1;
                if (depth < 0)
                {
                    break;
                }
            }
        }

        parts = [.. found];
        return depth < 0 && start == specification.Length;
    }

    private static DmException NoSuch(string name) => new(Errno.ENOENT, $"there is no cipher '{name}'");
}
