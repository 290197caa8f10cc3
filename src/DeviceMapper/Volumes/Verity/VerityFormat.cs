using System.Security.Cryptography;
using DeviceMapper.Cryptography;
using DeviceMapper.Cryptography.Digests;
using DeviceMapper.Native;

namespace DeviceMapper.Volumes.Verity;

/// <summary>
/// What a new verity volume shall be like, as veritysetup would make it; and for one that is there, what its superblock does not say: where it lies, and
/// where its parity is. Without a superblock all of it.
/// </summary>
public sealed record VerityFormat
{
    private const uint LargestBlock = 1 << 19; // bytes

    /// <summary>0, of Chromium OS, or 1.</summary>
    public uint HashType { get; init; } = 1;

    /// <summary>The kernel's name of the hash.</summary>
    public string Algorithm { get; init; } = "sha256";

    /// <summary>Bytes of a block of data.</summary>
    public uint DataBlockSize { get; init; } = 4096;

    /// <summary>Bytes of a block of hashes.</summary>
    public uint HashBlockSize { get; init; } = 4096;

    /// <summary>How many blocks of data there are; null: as many as the device has.</summary>
    public ulong? DataBlocks { get; init; }

    /// <summary>Goes into each hash; null: 32 random bytes.</summary>
    public byte[]? Salt { get; init; }

    /// <summary>Of the volume.</summary>
    public Guid Uuid { get; init; } = Guid.NewGuid();

    /// <summary>Where superblock and tree lie on the hash device, in bytes.</summary>
    public ulong HashOffset { get; init; }

    /// <summary>Whether there is a superblock; else all of this has to be known to open the volume.</summary>
    public bool HasSuperblock { get; init; } = true;

    /// <summary>The path of the file or device with parity, which repairs what is corrupt; null without.</summary>
    public string? ParityDevice { get; init; }

    /// <summary>Where the parity lies there, in bytes.</summary>
    public ulong ParityOffset { get; init; }

    /// <summary>Bytes of parity in each 255, 2 to 24.</summary>
    public int ParityRoots { get; init; } = 2;

    /// <summary>Whether what is there already may be overwritten; else there have to be zeroes, or another superblock of verity.</summary>
    public bool Overwrite { get; init; }

    /// <summary>Refuses what no volume can be.</summary>
    /// <exception cref="DmException">EINVAL, ENOENT: a sentence says what.</exception>
    internal void Check()
    {
        Require(HashType <= 1, $"there is no format {HashType} of verity: 0 and 1 are known");
        Require(IsBlockSize(DataBlockSize), $"blocks of data have 512 to {LargestBlock} bytes, a power of two, not {DataBlockSize}");
        Require(IsBlockSize(HashBlockSize), $"blocks of hashes have 512 to {LargestBlock} bytes, a power of two, not {HashBlockSize}");
        Require(Salt is null || Salt.Length <= VeritySuperblock.LongestSalt, $"a salt has at most {VeritySuperblock.LongestSalt} bytes, not {Salt?.Length}");
        Require(DataBlocks != 0, "there has to be a block of data");
        Require(DataBlocks is null || DataBlocks <= (ulong)long.MaxValue / DataBlockSize, $"{DataBlocks} blocks of data are more than any device has");
        uint unit = HasSuperblock ? VeritySuperblock.Size : HashBlockSize;
        Require(HashOffset % unit == 0 && HashOffset <= long.MaxValue / 2, $"the hash offset {HashOffset} is not a multiple of {unit}");
        using Digest digest = Digest.Create(Algorithm);
        Require((uint)digest.Size * 2 <= HashBlockSize, $"a block of {HashBlockSize} bytes does not hold two hashes of {Algorithm}");
        Require(Algorithm.Length < VeritySuperblock.LongestAlgorithm, $"a superblock has no place for the hash '{Algorithm}'");
        if (ParityDevice is not null)
        {
            Require(ParityRoots is >= 2 and <= 24, $"parity has 2 to 24 bytes in each 255, not {ParityRoots}");
            Require(DataBlockSize == HashBlockSize, $"parity needs blocks of data and of hashes of the same size, not {DataBlockSize} and {HashBlockSize}");
            Require(ParityOffset % DataBlockSize == 0 && ParityOffset <= long.MaxValue / 2, $"the parity's offset {ParityOffset} is not a multiple of {DataBlockSize}");
        }
    }

    /// <summary>The superblock of a new volume, whether it is written or not.</summary>
    /// <param name="dataSize">Bytes of the data's device.</param>
    internal VeritySuperblock ToSuperblock(ulong dataSize) => new()
    {
        HashType = HashType,
        Uuid = Uuid,
        Algorithm = Algorithm,
        DataBlockSize = DataBlockSize,
        HashBlockSize = HashBlockSize,
        DataBlocks = DataBlocks ?? dataSize / DataBlockSize,
        Salt = Salt ?? RandomNumberGenerator.GetBytes(32),
    };

    /// <summary>The first block of the tree on the hash device.</summary>
    internal ulong HashStart(uint hashBlockSize) => ((HasSuperblock ? HashOffset + VeritySuperblock.Size : HashOffset) + hashBlockSize - 1) / hashBlockSize;

    /// <summary>Whether blocks can have so many bytes.</summary>
    internal static bool IsBlockSize(uint size) => size is >= 512 and <= LargestBlock && (size & (size - 1)) == 0;

    private static void Require(bool condition, string sentence)
    {
        if (!condition)
        {
            throw new DmException(Errno.EINVAL, sentence);
        }
    }
}
