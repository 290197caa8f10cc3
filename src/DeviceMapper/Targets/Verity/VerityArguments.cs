using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Verity;

/// <summary>The ten arguments of a verity target, up to its options, with the kernel's checks in its order (drivers/md/dm-verity-target.c, <c>verity_ctr</c>).</summary>
internal sealed class VerityArguments
{
    /// <summary>How many there are.</summary>
    public const int Count = 10;

    private const int LargestDataBlock = 4096; // the kernel's page
    private const int LargestHashBlock = BufferPool.MaxLength;

    /// <summary>Reads them, and opens both devices for reading.</summary>
    public VerityArguments(TargetArguments arguments)
    {
        if (arguments.Table.Mode != DeviceMode.ReadOnly)
        {
            throw arguments.Refuse("the table must be read-only (--readonly): a verified device cannot be written");
        }

        arguments.Expect(Count, int.MaxValue);
        VerityOptions.CountWords(arguments);
        Version = (uint)arguments.Number(0, "version", "0 or 1");
        if (Version > 1)
        {
            throw arguments.Refuse(0, "version", "is not 0 or 1");
        }

        Data = arguments.Device(1, "data device", DeviceMode.ReadOnly);
        Hash = arguments.Device(2, "hash device", DeviceMode.ReadOnly);
        DataBlockSize = BlockSize(arguments, 3, "data block size", Data.Backend.Limits.LogicalBlockSize, LargestDataBlock);
        HashBlockSize = BlockSize(arguments, 4, "hash block size", Hash.Backend.Limits.LogicalBlockSize, LargestHashBlock);
        DataBlocks = Blocks(arguments, 5, "number of data blocks", DataBlockSize);
        if (arguments.Length.Value > DataBlocks * (DataBlockSize >> Sector.Shift))
        {
            throw arguments.Refuse(5, "number of data blocks", $"is too few for a target of {arguments.Length} sectors");
        }

        HashStart = Blocks(arguments, 6, "first hash block", HashBlockSize);
        Algorithm = arguments[7];
    }

    /// <summary>0, of Chromium OS, or 1.</summary>
    public uint Version { get; }

    /// <summary>What is verified.</summary>
    public DeviceReference Data { get; }

    /// <summary>Where the tree of hashes is.</summary>
    public DeviceReference Hash { get; }

    /// <summary>Bytes of a block of data.</summary>
    public uint DataBlockSize { get; }

    /// <summary>Bytes of a block of hashes.</summary>
    public uint HashBlockSize { get; }

    /// <summary>How many blocks of data are verified.</summary>
    public ulong DataBlocks { get; }

    /// <summary>The first block of the tree on the hash device.</summary>
    public ulong HashStart { get; }

    /// <summary>The kernel's name of the hash.</summary>
    public string Algorithm { get; }

    /// <summary>A number of blocks, whose sectors must fit 64 bits.</summary>
    public static ulong Blocks(TargetArguments arguments, int index, string name, uint blockSize)
    {
        ulong blocks = arguments.Number(index, name, "a number of blocks");
        ulong sectors = blockSize >> Sector.Shift;
        return blocks <= ulong.MaxValue / sectors ? blocks : throw arguments.Refuse(index, name, "is more blocks than a device can have");
    }

    /// <summary>Bytes in hexadecimal digits.</summary>
    /// <param name="arguments">The table's line.</param>
    /// <param name="index">Which argument.</param>
    /// <param name="name">What it means.</param>
    /// <param name="size">How many bytes there must be; any number when null.</param>
    public static byte[] Bytes(TargetArguments arguments, int index, string name, int? size)
    {
        string word = arguments[index];
        if (size is not null && word.Length != 2 * size)
        {
            throw arguments.Refuse(index, name, $"is not {2 * size} hexadecimal digits");
        }

        try
        {
            return Convert.FromHexString(word);
        }
        catch (FormatException)
        {
            throw arguments.Refuse(index, name, "is not of pairs of hexadecimal digits");
        }
    }

    private static uint BlockSize(TargetArguments arguments, int index, string name, uint least, int most)
    {
        uint size = (uint)arguments.Number(index, name, "a number of bytes");
        return size != 0 && (size & (size - 1)) == 0 && size >= least && size <= (uint)most
            ? size
            : throw arguments.Refuse(index, name, $"is not a power of two from {least} to {most} bytes");
    }
}
