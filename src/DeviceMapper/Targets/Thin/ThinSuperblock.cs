using System.Buffers.Binary;
using DeviceMapper.Metadata;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Thin;

/// <summary>
/// Block 0 of a pool's metadata (the kernel's <c>struct thin_disk_superblock</c>, drivers/md/dm-thin-metadata.c), little-endian.
/// </summary>
internal sealed class ThinSuperblock
{
    /// <summary>Where it is.</summary>
    public const ulong Location = 0;

    private const ulong Magic = 27022010;
    private const uint Version = 2;
    private const uint NeedsCheckFlag = 1;
    private const int BlockSectors = 8; // of a metadata block

    /// <summary>Whether a check must come before the next write (<c>thin_check --clear-needs-check-flag</c>).</summary>
    public bool NeedsCheck { get; set; }

    /// <summary>Counts snapshots: mappings older than a volume's latest one may be shared.</summary>
    public uint Time { get; set; }

    /// <summary>A number for the user.</summary>
    public ulong TransactionId { get; set; }

    /// <summary>The superblock's copy that a metadata snapshot holds; 0 without one.</summary>
    public ulong HeldRoot { get; set; }

    /// <summary>Which data blocks are in use.</summary>
    public SpaceMapRoot DataSpace { get; set; }

    /// <summary>Which metadata blocks are in use.</summary>
    public SpaceMapRoot MetadataSpace { get; set; }

    /// <summary>The tree of the volumes' trees of mappings.</summary>
    public ulong Mappings { get; set; }

    /// <summary>The tree of the volumes' details.</summary>
    public ulong Details { get; set; }

    /// <summary>Sectors of a data block.</summary>
    public uint DataBlockSize { get; set; }

    /// <summary>How many blocks the metadata device had.</summary>
    public ulong MetadataBlocks { get; set; }

    /// <summary>Bytes 16 to 32, which nobody uses.</summary>
    private byte[] Uuid { get; set; } = new byte[16];

    /// <summary>Reads it.</summary>
    /// <param name="data">The block.</param>
    /// <param name="location">Its number: not 0 for the copy that a metadata snapshot holds.</param>
    /// <exception cref="DmException">EILSEQ, ENOTBLK: it is damaged, or something else; EINVAL: features that are not known.</exception>
    public static ThinSuperblock Read(ReadOnlySpan<byte> data, ulong location = Location)
    {
        if (BinaryPrimitives.ReadUInt64LittleEndian(data[32..]) != Magic)
        {
            // The kernel looks at the block's number first, which something else seldom has right.
            ulong number = BinaryPrimitives.ReadUInt64LittleEndian(data[BlockKind.ThinSuperblock.NumberOffset..]);
            throw new DmException(number == location ? Errno.EILSEQ : Errno.ENOTBLK, "the metadata device holds something else: no thin pool's magic number in block 0");
        }

        BlockKind.ThinSuperblock.Check(data, location);
        uint version = BinaryPrimitives.ReadUInt32LittleEndian(data[40..]);
        uint incompatible = BinaryPrimitives.ReadUInt32LittleEndian(data[360..]);
        if (version is 0 or > Version || incompatible != 0)
        {
            throw new DmException(Errno.EINVAL, $"the pool's metadata has version {version} and features {incompatible:x}, which are not known");
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(data[340..]) != BlockSectors)
        {
            throw new DmException(Errno.EILSEQ, "the pool's metadata says that its blocks do not have 4 KiB");
        }

        return new ThinSuperblock
        {
            NeedsCheck = (BinaryPrimitives.ReadUInt32LittleEndian(data[4..]) & NeedsCheckFlag) != 0,
            Uuid = data[16..32].ToArray(),
            Time = BinaryPrimitives.ReadUInt32LittleEndian(data[44..]),
            TransactionId = BinaryPrimitives.ReadUInt64LittleEndian(data[48..]),
            HeldRoot = BinaryPrimitives.ReadUInt64LittleEndian(data[56..]),
            DataSpace = SpaceMapRoot.Read(data[64..]),
            MetadataSpace = SpaceMapRoot.Read(data[192..]),
            Mappings = BinaryPrimitives.ReadUInt64LittleEndian(data[320..]),
            Details = BinaryPrimitives.ReadUInt64LittleEndian(data[328..]),
            DataBlockSize = BinaryPrimitives.ReadUInt32LittleEndian(data[336..]),
            MetadataBlocks = BinaryPrimitives.ReadUInt64LittleEndian(data[344..]),
        };
    }

    /// <summary>Writes it, without its checksum.</summary>
    public void Write(Span<byte> data)
    {
        data.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(data[4..], NeedsCheck ? NeedsCheckFlag : 0);
        Uuid.CopyTo(data[16..]);
        BinaryPrimitives.WriteUInt64LittleEndian(data[32..], Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(data[40..], Version);
        BinaryPrimitives.WriteUInt32LittleEndian(data[44..], Time);
        BinaryPrimitives.WriteUInt64LittleEndian(data[48..], TransactionId);
        BinaryPrimitives.WriteUInt64LittleEndian(data[56..], HeldRoot);
        DataSpace.Write(data[64..]);
        MetadataSpace.Write(data[192..]);
        BinaryPrimitives.WriteUInt64LittleEndian(data[320..], Mappings);
        BinaryPrimitives.WriteUInt64LittleEndian(data[328..], Details);
        BinaryPrimitives.WriteUInt32LittleEndian(data[336..], DataBlockSize);
        BinaryPrimitives.WriteUInt32LittleEndian(data[340..], BlockSectors);
        BinaryPrimitives.WriteUInt64LittleEndian(data[344..], MetadataBlocks);
    }
}
