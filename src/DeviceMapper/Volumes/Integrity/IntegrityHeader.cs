using System.Buffers.Binary;
using DeviceMapper.Native;
using DeviceMapper.Targets.Integrity;

namespace DeviceMapper.Volumes.Integrity;

/// <summary>What the superblock of an integrity device says to whoever wants to open it (drivers/md/dm-integrity.c, <c>struct superblock</c>).</summary>
public sealed record IntegrityHeader
{
    /// <summary>Bytes in front of everything else.</summary>
    internal const int Size = 4096;

    private const int LastVersion = 7;
    private const int Used = 64; // bytes

    /// <summary>1 to 7, by the features that are used.</summary>
    public int Version { get; private init; }

    /// <summary>Bytes of a tag.</summary>
    public int TagSize { get; private init; }

    /// <summary>Bytes that have one tag.</summary>
    public int SectorSize { get; private init; }

    /// <summary>Sections of the journal; none where tags are inline.</summary>
    public uint JournalSections { get; private init; }

    /// <summary>Sectors of data between runs of tags; 0 where the data has a device of its own.</summary>
    public ulong InterleaveSectors { get; private init; }

    /// <summary>Sectors of 512 bytes that the volume gives.</summary>
    public ulong ProvidedSectors { get; private init; }

    /// <summary>Up to which sector tags have been made; null where all have one.</summary>
    public ulong? RecalculatedSectors { get; private init; }

    /// <summary>The names of its features, as integritysetup prints them.</summary>
    public IReadOnlyList<string> Features { get; private init; } = [];

    /// <summary>Reads one.</summary>
    /// <param name="device">Where it is.</param>
    /// <param name="offset">At which byte.</param>
    /// <exception cref="DmException">EINVAL: there is none, it is damaged, or of a kind that is not known.</exception>
    public static IntegrityHeader Read(Stream device, ulong offset = 0)
    {
        byte[] block = new byte[Used];
        device.Position = (long)offset;
        if (device.ReadAtLeast(block, Used, throwOnEndOfStream: false) < Used || !block.AsSpan().StartsWith("integrt\0"u8))
        {
            throw Damaged("there is no superblock of integrity: it was never formatted, or is another kind of device");
        }

        int version = block[8], log2Interleave = block[9], log2Sectors = block[28];
        IntegrityFlags flags = (IntegrityFlags)BinaryPrimitives.ReadUInt32LittleEndian(block.AsSpan(24));
        if (version is 0 or > LastVersion || (flags & ~(IntegrityFlags)((1 << LastVersion) - 1)) != 0)
        {
            throw Damaged($"the superblock of integrity has version {version} and features {(uint)flags:x}, and 1 to {LastVersion} are known");
        }

        IntegrityHeader header = new()
        {
            Version = version,
            TagSize = BinaryPrimitives.ReadUInt16LittleEndian(block.AsSpan(10)),
            SectorSize = 512 << Math.Min(log2Sectors, 8),
            JournalSections = BinaryPrimitives.ReadUInt32LittleEndian(block.AsSpan(12)),
            InterleaveSectors = log2Interleave == 0 ? 0 : 1ul << Math.Min(log2Interleave, 63),
            ProvidedSectors = BinaryPrimitives.ReadUInt64LittleEndian(block.AsSpan(16)),
            RecalculatedSectors = (flags & IntegrityFlags.Recalculating) == 0 ? null : BinaryPrimitives.ReadUInt64LittleEndian(block.AsSpan(32)),
            Features = [.. _features.Where(feature => (flags & feature.Flag) != 0).Select(feature => feature.Name)],
        };
        return header.TagSize is > 0 and <= 255 && log2Sectors <= 3 && log2Interleave <= 31 && (header.JournalSections == 0) == ((flags & IntegrityFlags.Inline) != 0) && header.ProvidedSectors != 0
            ? header
            : throw Damaged("the superblock of integrity is damaged: its sizes cannot be");
    }

    private static readonly (IntegrityFlags Flag, string Name)[] _features =
    [
        (IntegrityFlags.JournalMac, "have_journal_mac"),
        (IntegrityFlags.Recalculating, "recalculating"),
        (IntegrityFlags.DirtyBitmap, "dirty_bitmap"),
        (IntegrityFlags.FixedPadding, "fix_padding"),
        (IntegrityFlags.FixedHmac, "fix_hmac"),
        (IntegrityFlags.Inline, "inline"),
        (IntegrityFlags.KeyedDiscard, "discard_keyed"),
    ];

    private static DmException Damaged(string sentence) => new(Errno.EINVAL, sentence);
}
