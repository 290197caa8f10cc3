using System.Text;
using DeviceMapper.Cryptography;
using DeviceMapper.Cryptography.Digests;
using DeviceMapper.Io;
using DeviceMapper.Native;
using DeviceMapper.Volumes.Integrity;

namespace DeviceMapper.Volumes.Luks;

/// <summary>What a new volume shall be like; what is not said is as cryptsetup would choose it.</summary>
public sealed record LuksFormat
{
    private const int LongestLabel = 47; // bytes, and a zero

    /// <summary>1 or 2.</summary>
    public int Version { get; init; } = 2;

    /// <summary>As in crypt's table.</summary>
    public string Cipher { get; init; } = "aes-xts-plain64";

    /// <summary>Bytes of the cipher's key. An hmac takes as many more as its hash has.</summary>
    public int KeySize { get; init; } = 64;

    /// <summary>What authenticates each sector, as <c>hmac-sha256</c>, <c>poly1305</c>, or <c>aead</c> for the cipher itself; null: nothing. LUKS1 has none.</summary>
    public string? Integrity { get; init; }

    /// <summary>Bytes that are encrypted at once; null: 4096 where the volume's size allows it. LUKS1 has 512.</summary>
    public int? SectorSize { get; init; }

    /// <summary>The hash of PBKDF2, of the key's digest and of the stripes.</summary>
    public string Hash { get; init; } = "sha256";

    /// <summary><c>pbkdf2</c>, <c>argon2i</c> or <c>argon2id</c>; null: argon2id for LUKS2. LUKS1 has pbkdf2.</summary>
    public string? Derivation { get; init; }

    /// <summary>Rounds of PBKDF2, or passes of Argon2; null: as many as take two seconds.</summary>
    public int? Iterations { get; init; }

    /// <summary>Argon2's memory in KiB; null: as much as takes two seconds, at most 1 GiB and half of what there is.</summary>
    public int? Memory { get; init; }

    /// <summary>The volume's name, which LUKS1 does not have.</summary>
    public string Label { get; init; } = "";

    /// <summary>Of the volume.</summary>
    public Guid Uuid { get; init; } = Guid.NewGuid();

    /// <summary>Whether what is there already may be overwritten; else the place of the header has to be zeroes.</summary>
    public bool Overwrite { get; init; }

    /// <summary>What the header says of it.</summary>
    internal LuksIntegrity? IntegrityOrNull => Integrity is null ? null : new LuksIntegrity(new IntegrityKey(Integrity).KernelName, null).Checked();

    /// <summary>Bytes of the volume's key.</summary>
    internal int VolumeKeySize => KeySize + (IntegrityOrNull?.AuthenticationKeySize ?? 0);

    /// <summary>What encrypts a keyslot: one that authenticates has no place for its tags there, and cryptsetup reads none in the words of the kernel's crypto API.</summary>
    internal string KeyslotCipher => HasKeyslotsLikeSectors ? Cipher : "aes-xts-plain64";

    /// <summary>Bytes of its key.</summary>
    internal int KeyslotKeySize => HasKeyslotsLikeSectors ? KeySize : 64;

    private bool HasKeyslotsLikeSectors => Integrity is null && (Version == 1 || !Cipher.StartsWith("capi:", StringComparison.Ordinal));

    /// <summary>What makes a key of a passphrase.</summary>
    internal string DerivationOrDefault => Derivation ?? (Version == 1 ? "pbkdf2" : "argon2id");

    /// <summary>Refuses what no volume can be.</summary>
    /// <exception cref="DmException">EINVAL, ENOENT: a sentence says what.</exception>
    internal void Check()
    {
        Require(Version is 1 or 2, $"there is no LUKS{Version}: 1 and 2 are known");
        Require(Integrity is null || Version == 2, "LUKS1 authenticates no sectors");
        Require(KeySize is > 0 and <= 512, $"a key has 1 to 512 bytes, not {KeySize}");
        Require(
            SectorSize is null or 512 || (Version == 2 && SectorSize is 1024 or 2048 or 4096),
            $"sectors of {SectorSize} bytes are none of LUKS{Version}: it has {(Version == 1 ? "512" : "512, 1024, 2048 and 4096")}");
        Require(
            DerivationOrDefault == "pbkdf2" || (Version == 2 && DerivationOrDefault is "argon2i" or "argon2id"),
            $"LUKS{Version} does not derive keys by '{Derivation}', but by {(Version == 1 ? "pbkdf2" : "pbkdf2, argon2i or argon2id")}");
        Require(Iterations is null or > 0, "the number of iterations has to be positive");
        Require(Memory is null || DerivationOrDefault != "pbkdf2", "pbkdf2 has no memory to be set");
        Require(Memory is null or >= 32 and <= 4 << 20, $"argon2 takes 32 KiB to 4 GiB of memory, not {Memory} KiB");
        Require(Label.Length == 0 || Version == 2, "LUKS1 has no label");
        Require(Encoding.UTF8.GetByteCount(Label) <= LongestLabel && !Label.Contains('\0', StringComparison.Ordinal), $"a label has at most {LongestLabel} bytes, none of them zero");
        Require(Version == 2 || (Cipher.Contains('-', StringComparison.Ordinal) && Cipher.Split('-', 2).All(part => part.Length < 32)), $"LUKS1 has no place for the cipher '{Cipher}'");
        Digest.Create(Hash).Dispose();
    }

    private static void Require(bool condition, string sentence)
    {
        if (!condition)
        {
            throw new DmException(Errno.EINVAL, sentence);
        }
    }
}
