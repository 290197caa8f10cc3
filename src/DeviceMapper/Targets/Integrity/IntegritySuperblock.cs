using System.Buffers.Binary;
using System.Numerics;
using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Integrity;

/// <summary>Features that a superblock says (<c>SB_FLAG_*</c>).</summary>
[Flags]
internal enum IntegrityFlags : uint
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>The journal is authenticated.</summary>
    JournalMac = 1,

    /// <summary>Tags are being made; version 2.</summary>
    Recalculating = 2,

    /// <summary>The journal's place has a bitmap of what may be without tags; version 3.</summary>
    DirtyBitmap = 4,

    /// <summary>Runs of tags are padded to 4 KiB, not to 128 KiB; version 4.</summary>
    FixedPadding = 8,

    /// <summary>Keyed hashes have a salt; version 5.</summary>
    FixedHmac = 16,

    /// <summary>Tags lie in the device's own metadata; version 6.</summary>
    Inline = 32,
}

/// <summary>
/// The superblock of an integrity device, and the layout that follows from it: journal, then runs of tags and data by turns; or data on a device of
/// its own (drivers/md/dm-integrity.c, <c>struct superblock</c>).
/// </summary>
internal sealed class IntegritySuperblock
{
    /// <summary>Sectors of it, at the start.</summary>
    public const uint Sectors = 8;

    private const int DefaultLog2SectorsPerBit = 15;
    private const int MetadataPadding = 8; // sectors that a run of tags is padded to; by an old mistake, 2^8
    private const int LeastInterleave = 3; // log2 of sectors
    private const int MostInterleave = 31;
    private const uint LastVersion = 6;
    private const int SaltOffset = 48;
    private const int SaltSize = 16;

    private readonly byte[] _salt = new byte[SaltSize];

    /// <summary>log2 of the sectors of data between runs of tags; 0 where data has a device of its own.</summary>
    public int Log2Interleave { get; private set; }

    /// <summary>Bytes of a tag.</summary>
    public required int TagSize { get; init; }

    /// <summary>Sections of the journal.</summary>
    public uint JournalSections { get; private set; }

    /// <summary>Sectors that the device gives.</summary>
    public ulong ProvidedSectors { get; private set; }

    /// <summary>Features.</summary>
    public IntegrityFlags Flags { get; private set; }

    /// <summary>log2 of the sectors of a block that has one tag.</summary>
    public required int Log2Block { get; init; }

    /// <summary>log2 of the blocks of a bit of the bitmap that mode B has in the journal's place; told in every mode.</summary>
    public int Log2BlocksPerBit { get; private set; }

    /// <summary>What goes before each keyed hash; empty without <see cref="IntegrityFlags.FixedHmac"/>.</summary>
    public ReadOnlySpan<byte> Salt => (Flags & IntegrityFlags.FixedHmac) != 0 ? _salt : [];

    /// <summary>Bytes of an entry of the journal.</summary>
    public int EntrySize => ((8 + (8 << Log2Block) + TagSize) + 7) & ~7;

    /// <summary>Entries in a sector of the journal.</summary>
    public int EntriesPerSector => (512 - 8 - ((Flags & IntegrityFlags.JournalMac) != 0 ? 8 : 0)) / EntrySize;

    /// <summary>Entries in a section of the journal.</summary>
    public int SectionEntries => EntriesPerSector * Journal.MetadataSectors;

    /// <summary>Sectors of a section of the journal.</summary>
    public int SectionSectors => (SectionEntries << Log2Block) + Journal.MetadataSectors;

    /// <summary>Sectors of superblock and journal.</summary>
    public ulong InitialSectors => Sectors + ((ulong)SectionSectors * JournalSections);

    /// <summary>Sectors of a run of tags.</summary>
    public ulong MetadataRun
    {
        get
        {
            ulong padding = (Flags & IntegrityFlags.FixedPadding) != 0 ? (ulong)MetadataPadding << Sector.Shift : 1ul << Sector.Shift << MetadataPadding;
            ulong bytes = (ulong)TagSize << (Log2Interleave - Log2Block);
            return (bytes + padding - 1) / padding * padding >> Sector.Shift;
        }
    }

    /// <summary>The sector after which bios have to be cut, because a run of tags follows; 0 for none.</summary>
    public ulong Interleave => Log2Interleave == 0 ? 0 : 1ul << Log2Interleave;

    /// <summary>Where a sector of data lies, from the start of the target's area on its device.</summary>
    public ulong DataSector(ulong sector)
    {
        if (Log2Interleave == 0)
        {
            return sector;
        }

        ulong area = sector >> Log2Interleave;
        return InitialSectors + (area << Log2Interleave) + ((area + 1) * MetadataRun) + (sector & (Interleave - 1));
    }

    /// <summary>Where the tag of a sector's block lies, in bytes from the start of the area with superblock and journal.</summary>
    public ulong TagByte(ulong sector)
    {
        ulong area = Log2Interleave == 0 ? 0 : sector >> Log2Interleave;
        ulong offset = Log2Interleave == 0 ? sector : sector & (Interleave - 1);
        ulong run = Log2Interleave == 0 ? 0 : area * (Interleave + MetadataRun);
        return ((InitialSectors + run) << Sector.Shift) + ((offset >> Log2Block) * (ulong)TagSize);
    }

    /// <summary>Makes the superblock of a blank device.</summary>
    /// <exception cref="DmException">EINVAL: the device is too small.</exception>
    public void Format(IntegrityOptions options, ulong deviceSectors, ulong? metadataSectors)
    {
        Flags = (options.FixPadding && metadataSectors is null ? IntegrityFlags.FixedPadding : 0)
            | (options.FixHmac && options.InternalHash is not null ? IntegrityFlags.FixedHmac : 0);
        if ((Flags & IntegrityFlags.FixedHmac) != 0)
        {
            System.Security.Cryptography.RandomNumberGenerator.Fill(_salt);
        }

        uint sections = Math.Max(1, options.JournalSectors / (uint)SectionSectors);
        if (metadataSectors is null)
        {
            JournalSections = sections;
            Log2Interleave = Math.Clamp(BitOperations.Log2(options.InterleaveSectors == 0 ? IntegrityOptions.DefaultInterleave : options.InterleaveSectors), LeastInterleave, MostInterleave);
            ProvidedSectors = LargestThatFits(BitOperations.Log2(deviceSectors), 3, n => Fits(n, deviceSectors, metadataSectors));
        }
        else
        {
            Log2Interleave = 0;
            ProvidedSectors = deviceSectors >> Log2Block << Log2Block;
            JournalSections = (uint)LargestThatFits(BitOperations.Log2(sections), 0, n => n <= sections && FitsWith((uint)n, metadataSectors.Value));
        }

        if (ProvidedSectors == 0 || JournalSections == 0)
        {
            throw new DmException(Errno.EINVAL, $"integrity: the device of {deviceSectors} sectors is too small for a superblock, a journal and tags");
        }

        Log2BlocksPerBit = SmallestBit() - Log2Block;
    }

    /// <summary>Reads a superblock, and checks it against the table.</summary>
    /// <exception cref="DmException">EINVAL: it is of another kind, or damaged.</exception>
    public void Read(ReadOnlySpan<byte> bytes, IntegrityOptions options)
    {
        if (bytes[8] is 0 or > (byte)LastVersion)
        {
            throw Refuse($"the superblock has version {bytes[8]}, and 1 to {LastVersion} are known");
        }

        Flags = (IntegrityFlags)BinaryPrimitives.ReadUInt32LittleEndian(bytes[24..]);
        if (((Flags & IntegrityFlags.Inline) != 0) != (options.Mode == 'I'))
        {
            throw Refuse("the superblock and the table differ on whether tags are inline");
        }

        int tag = BinaryPrimitives.ReadUInt16LittleEndian(bytes[10..]);
        if (tag != TagSize)
        {
            throw Refuse($"the superblock says tags of {tag} bytes, and the table {TagSize}");
        }

        if (bytes[28] != Log2Block)
        {
            throw Refuse($"the superblock says blocks of {512L << Math.Min((int)bytes[28], 32)} bytes, and the table {512 << Log2Block}");
        }

        JournalSections = BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]);
        if (JournalSections == 0)
        {
            throw Refuse("the superblock is damaged: it says no section of a journal");
        }

        Log2Interleave = bytes[9];
        if (options.MetadataDevice is null ? Log2Interleave is < LeastInterleave or > MostInterleave : Log2Interleave != 0)
        {
            throw Refuse($"the superblock is damaged or of another layout: it says data runs of 2^{Log2Interleave} sectors");
        }

        if ((Flags & IntegrityFlags.JournalMac) != 0)
        {
            throw Refuse("the superblock says that the journal is authenticated, and the table does not");
        }

        if ((Flags & (IntegrityFlags.Recalculating | IntegrityFlags.DirtyBitmap)) != 0)
        {
            throw Refuse("the superblock says that tags are still being made, or were when the machine stopped: let the kernel finish that first");
        }

        ProvidedSectors = BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]);
        Log2BlocksPerBit = bytes[29];
        bytes.Slice(SaltOffset, SaltSize).CopyTo(_salt);
    }

    /// <summary>Refuses a layout that its device does not hold.</summary>
    public void CheckFits(ulong deviceSectors, ulong? metadataSectors)
    {
        if (ProvidedSectors == 0 || !Fits(ProvidedSectors, deviceSectors, metadataSectors))
        {
            throw Refuse($"the device is too small for the {ProvidedSectors} sectors that its superblock says");
        }
    }

    /// <summary>Writes it into a buffer of zeroes.</summary>
    public void Write(Span<byte> bytes)
    {
        "integrt\0"u8.CopyTo(bytes);
        bytes[8] = (byte)((Flags & IntegrityFlags.FixedHmac) != 0 ? 5 : (Flags & IntegrityFlags.FixedPadding) != 0 ? 4 : 1);
        bytes[9] = (byte)Log2Interleave;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[10..], (ushort)TagSize);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[12..], JournalSections);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[16..], ProvidedSectors);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[24..], (uint)Flags);
        bytes[28] = (byte)Log2Block;
        bytes[29] = (byte)Log2BlocksPerBit;
        Salt.CopyTo(bytes[SaltOffset..]);
    }

    /// <summary>log2 of the sectors of a bit, so that bits for all of the device fit in the journal's place; at least 32768 sectors, as in the kernel.</summary>
    private int SmallestBit()
    {
        ulong bits = (ulong)SectionSectors * JournalSections << (Sector.Shift + 3);
        int log2 = DefaultLog2SectorsPerBit;
        while (bits < (ProvidedSectors + (1ul << log2) - 1) >> log2)
        {
            log2++;
        }

        return log2;
    }

    private static ulong LargestThatFits(int highestBit, int lowestBit, Func<ulong, bool> fits)
    {
        ulong found = 0;
        for (int bit = highestBit; bit >= lowestBit; bit--)
        {
            found |= fits(found | (1ul << bit)) ? 1ul << bit : 0;
        }

        return found;
    }

    private bool FitsWith(uint sections, ulong metadataSectors)
    {
        JournalSections = sections;
        return Fits(ProvidedSectors, 0, metadataSectors);
    }

    // The kernel's calculate_device_limits.
    private bool Fits(ulong provided, ulong deviceSectors, ulong? metadataSectors)
    {
        ulong initial = InitialSectors;
        if (initial + MetadataPadding >= (metadataSectors ?? deviceSectors) || initial > uint.MaxValue)
        {
            return false;
        }

        if (metadataSectors is null)
        {
            return DataSector(provided - 1) < deviceSectors;
        }

        ulong buffer = IntegrityOptions.DefaultBuffer;
        ulong tags = (provided >> Log2Block) * (ulong)TagSize;
        return initial + ((tags + (buffer << Sector.Shift) - 1) / (buffer << Sector.Shift) * buffer) <= metadataSectors;
    }

    private static DmException Refuse(string sentence) => new(Errno.EINVAL, $"integrity: {sentence}");
}
