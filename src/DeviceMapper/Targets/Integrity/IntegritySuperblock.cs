using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using DeviceMapper.Cryptography;
using DeviceMapper.Cryptography.Digests;
using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Integrity;

/// <summary>
/// The superblock of an integrity device, and the layout that follows from it: journal, then runs of tags and data by turns; or data on a device of
/// its own (drivers/md/dm-integrity.c, <c>struct superblock</c>).
/// </summary>
internal sealed class IntegritySuperblock
{
    /// <summary>Sectors of it, at the start.</summary>
    public const uint Sectors = 8;

    private const int MetadataPadding = 8; // sectors that a run of tags is padded to; by an old mistake, 2^8
    private const int LeastInterleave = 3; // log2 of sectors
    private const int MostInterleave = 31;
    private const int LeastBuffer = 3; // log2 of sectors
    private const int BitmapBlockBits = 4096 * 8;
    private const byte LastVersion = 7;
    private const int FlagsAt = 24;
    private const int Log2BlockAt = 28;
    private const int RecalculatedAt = 32;
    private const int SaltAt = 48;
    private const int SaltSize = 16;

    private readonly IntegrityOptions _options;
    private readonly ulong _dataSectors; // of the data's device
    private readonly ulong _metadataSectors; // of the device with journal and tags: often the same
    private readonly ulong _start; // of the superblock
    private readonly byte[] _bytes = new byte[Sectors * Sector.Size];

    /// <summary>Makes an empty one.</summary>
    /// <param name="options">Of the table.</param>
    /// <param name="tagSize">Bytes of a tag.</param>
    /// <param name="dataSectors">Size of the device with the data.</param>
    /// <param name="metadataSectors">Size of the device with journal and tags: the same, or one of its own.</param>
    /// <param name="start">Where the superblock lies.</param>
    public IntegritySuperblock(IntegrityOptions options, int tagSize, ulong dataSectors, ulong metadataSectors, Sector start)
    {
        _options = options;
        TagSize = tagSize;
        _dataSectors = dataSectors;
        _metadataSectors = metadataSectors;
        _start = start.Value;
        Log2Buffer = options.Log2Buffer;
    }

    /// <summary>All of it, as it lies on the device.</summary>
    public Span<byte> Content => _bytes;

    /// <summary>Whether it is one at all.</summary>
    public bool IsThere => _bytes.AsSpan().StartsWith("integrt\0"u8);

    /// <summary>Bytes of a tag.</summary>
    public int TagSize { get; }

    /// <summary>Features.</summary>
    public IntegrityFlags Flags
    {
        get => (IntegrityFlags)BinaryPrimitives.ReadUInt32LittleEndian(_bytes.AsSpan(FlagsAt));
        set => BinaryPrimitives.WriteUInt32LittleEndian(_bytes.AsSpan(FlagsAt), (uint)value);
    }

    /// <summary>log2 of the sectors of data between runs of tags; 0 where data has a device of its own.</summary>
    public int Log2Interleave
    {
        get => _bytes[9];
        private set => _bytes[9] = (byte)value;
    }

    /// <summary>Sections of the journal.</summary>
    public uint JournalSections
    {
        get => BinaryPrimitives.ReadUInt32LittleEndian(_bytes.AsSpan(12));
        private set => BinaryPrimitives.WriteUInt32LittleEndian(_bytes.AsSpan(12), value);
    }

    /// <summary>Sectors that the device gave when the superblock was written last.</summary>
    public ulong StoredSectors
    {
        get => BinaryPrimitives.ReadUInt64LittleEndian(_bytes.AsSpan(16));
        set => BinaryPrimitives.WriteUInt64LittleEndian(_bytes.AsSpan(16), value);
    }

    /// <summary>log2 of the blocks of a bit in mode B, when the superblock was written last.</summary>
    public int StoredLog2BlocksPerBit
    {
        get => _bytes[29];
        set => _bytes[29] = (byte)value;
    }

    /// <summary>Up to where tags have been made, while <see cref="IntegrityFlags.Recalculating"/>.</summary>
    public ulong RecalculatedSectors
    {
        get => BinaryPrimitives.ReadUInt64LittleEndian(_bytes.AsSpan(RecalculatedAt));
        set => BinaryPrimitives.WriteUInt64LittleEndian(_bytes.AsSpan(RecalculatedAt), value);
    }

    /// <summary>What goes before each keyed hash; empty without <see cref="IntegrityFlags.FixedHmac"/>.</summary>
    public ReadOnlySpan<byte> Salt => Has(IntegrityFlags.FixedHmac) ? _bytes.AsSpan(SaltAt, SaltSize) : [];

    /// <summary>Sectors that the device gives now, by its size.</summary>
    public ulong ProvidedSectors { get; private set; }

    /// <summary>log2 of the sectors of a buffer of tags.</summary>
    public int Log2Buffer { get; private set; }

    /// <summary>log2 of the sectors of a block that has one tag.</summary>
    public int Log2Block => _options.Log2Block;

    /// <summary>log2 of the sectors of a bit of mode B: as the options say, or more, so that the bitmap fits in the journal's place.</summary>
    public int Log2SectorsPerBit { get; private set; }

    /// <summary>Bytes of the bitmap of mode B, in whole blocks.</summary>
    public int BitmapSize => (int)((((ProvidedSectors + (1ul << Log2SectorsPerBit) - 1) >> Log2SectorsPerBit) + BitmapBlockBits - 1) / BitmapBlockBits * (BitmapBlockBits / 8));

    /// <summary>Bytes of an entry of the journal.</summary>
    public int EntrySize => (8 + (8 << Log2Block) + TagSize + 7) & ~7;

    /// <summary>Entries in a section of the journal.</summary>
    public int SectionEntries => (512 - 8 - (Has(IntegrityFlags.JournalMac) ? 8 : 0)) / EntrySize * JournalMemory.MetadataSectors;

    /// <summary>Sectors of a section of the journal.</summary>
    public int SectionSectors => (SectionEntries << Log2Block) + JournalMemory.MetadataSectors;

    /// <summary>Entries of the journal.</summary>
    public ulong JournalEntries => (ulong)SectionEntries * JournalSections;

    /// <summary>How many entries have to be free, lest the journal is written back.</summary>
    public ulong FreeThreshold => ((JournalEntries * (100 - _options.Watermark)) + 50) / 100;

    /// <summary>Sectors of superblock and journal.</summary>
    public ulong InitialSectors => Sectors + ((ulong)SectionSectors * JournalSections);

    /// <summary>The sector after which bios have to be cut, because a run of tags follows; 0 for none.</summary>
    public ulong Interleave => IsApart || IsInline ? 0 : 1ul << Log2Interleave;

    // Tags in the device's own metadata: neither a journal nor runs of tags.
    private bool IsInline => _options.Mode == 'I';

    private bool IsApart => _options.MetadataDevice is not null;

    // Sectors of a run of tags.
    private ulong MetadataRun
    {
        get
        {
            ulong padding = Has(IntegrityFlags.FixedPadding) ? (ulong)MetadataPadding << Sector.Shift : 1ul << Sector.Shift << MetadataPadding;
            ulong bytes = (ulong)TagSize << (Log2Interleave - Log2Block);
            return (bytes + padding - 1) / padding * padding >> Sector.Shift;
        }
    }

    /// <summary>Whether it says a feature.</summary>
    public bool Has(IntegrityFlags flag) => (Flags & flag) != 0;

    /// <summary>Where a sector of data lies, from the start of the target's area on its device.</summary>
    public ulong DataSector(ulong sector)
    {
        if (IsApart)
        {
            return sector;
        }

        if (IsInline)
        {
            return Sectors + sector;
        }

        ulong area = sector >> Log2Interleave;
        return InitialSectors + (area << Log2Interleave) + ((area + 1) * MetadataRun) + (sector & (Interleave - 1));
    }

    /// <summary>Where the tag of a sector's block lies, in bytes from the end of the journal.</summary>
    public ulong TagByte(ulong sector)
    {
        ulong area = IsApart ? 0 : sector >> Log2Interleave;
        ulong offset = IsApart ? sector : sector & (Interleave - 1);
        ulong run = IsApart ? 0 : area * (Interleave + MetadataRun);
        return (run << Sector.Shift) + ((offset >> Log2Block) * (ulong)TagSize);
    }

    /// <summary>Makes that of a blank device (the kernel's <c>initialize_superblock</c>).</summary>
    /// <exception cref="DmException">EINVAL: the device is too small.</exception>
    public void Format()
    {
        Content.Clear();
        "integrt\0"u8.CopyTo(_bytes);
        _bytes[8] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(_bytes.AsSpan(10), (ushort)TagSize);
        _bytes[Log2BlockAt] = (byte)Log2Block;
        Flags = (_options.JournalMac is null ? 0 : IntegrityFlags.JournalMac)
            | (_options.FixHmac && (_options.InternalHash ?? _options.JournalMac) is not null ? IntegrityFlags.FixedHmac : 0)
            | (_options.FixPadding && !IsApart ? IntegrityFlags.FixedPadding : 0)
            | (_options.KeyedDiscards ? IntegrityFlags.KeyedDiscard : 0)
            | (IsInline ? IntegrityFlags.Inline : 0);
        if (Has(IntegrityFlags.FixedHmac))
        {
            RandomNumberGenerator.Fill(_bytes.AsSpan(SaltAt, SaltSize));
        }

        uint sections = Math.Max(1, _options.JournalSectors(_dataSectors) / (uint)SectionSectors);
        if (IsApart)
        {
            ProvidedSectors = _dataSectors >> Log2Block << Log2Block;
            ChooseSections(sections);
        }
        else
        {
            JournalSections = IsInline ? 0 : sections;
            uint interleave = _options.InterleaveSectors == 0 ? IntegrityOptions.DefaultInterleave : _options.InterleaveSectors;
            Log2Interleave = Math.Clamp(BitOperations.Log2(interleave), LeastInterleave, MostInterleave);
            MeasureProvided();
        }

        if (ProvidedSectors == 0 || (JournalSections == 0 && !IsInline))
        {
            throw TooSmall();
        }

        StoredSectors = ProvidedSectors;
        SetVersion();
    }

    /// <summary>Checks what was read, or made, against table and devices, and works out the layout.</summary>
    /// <exception cref="DmException">EINVAL: it is of another kind, or damaged, or does not fit.</exception>
    public void Check()
    {
        CheckKind();
        MeasureProvided();
        if (ProvidedSectors == 0 || !Fits())
        {
            throw TooSmall();
        }

        int log2 = Math.Max(_options.Log2SectorsPerBit, Log2Block);
        ulong bits = Math.Min((ulong)SectionSectors * JournalSections << (Sector.Shift + 3), uint.MaxValue);
        while (bits != 0 && bits < (ProvidedSectors + (1ul << log2) - 1) >> log2)
        {
            log2++;
        }

        Log2SectorsPerBit = log2;
        if (!IsApart && !IsInline)
        {
            Log2Buffer = Math.Min(Log2Buffer, BitOperations.TrailingZeroCount(MetadataRun));
        }
    }

    /// <summary>Puts the version that its features need, and where the journal is authenticated with a salt, its own authentication.</summary>
    public void Seal()
    {
        SetVersion();
        if (MacArea(out int size) is { IsEmpty: false } mac)
        {
            MakeMac(size, mac);
        }
    }

    /// <summary>Whether its own authentication, where it has one, is right.</summary>
    public bool IsAuthentic()
    {
        ReadOnlySpan<byte> mac = _options.Mode == 'R' ? [] : MacArea(out int size);
        if (mac.IsEmpty)
        {
            return true;
        }

        Span<byte> expected = stackalloc byte[Digest.LargestSize];
        MakeMac(mac.Length, expected);
        return CryptographicOperations.FixedTimeEquals(mac, expected[..mac.Length]);
    }

    /// <summary>
    /// Takes what the device has at a resume: since the constructor, another table may have changed features and how far tags are made, but not what the
    /// layout and the tags follow from (<c>superblock_changed</c>).
    /// </summary>
    /// <param name="read">What it has.</param>
    /// <returns>Whether it was taken.</returns>
    public bool TryRenew(ReadOnlySpan<byte> read)
    {
        const IntegrityFlags Kept = IntegrityFlags.JournalMac | IntegrityFlags.FixedPadding | IntegrityFlags.FixedHmac | IntegrityFlags.Inline;
        IntegrityFlags flags = (IntegrityFlags)BinaryPrimitives.ReadUInt32LittleEndian(read[FlagsAt..]);
        if (((flags ^ Flags) & Kept) != 0 || !Same(read, 0, 8) || !Same(read, 9, 7) || read[Log2BlockAt] != _bytes[Log2BlockAt] || !Same(read, SaltAt, SaltSize))
        {
            return false;
        }

        read.CopyTo(_bytes);
        return true;
    }

    private bool Same(ReadOnlySpan<byte> read, int at, int length) => read.Slice(at, length).SequenceEqual(_bytes.AsSpan(at, length));

    private static DmException Refuse(string sentence) => new(Errno.EINVAL, $"integrity: {sentence}");

    private void CheckKind()
    {
        if (_bytes[8] is 0 or > LastVersion)
        {
            throw Refuse($"the superblock has version {_bytes[8]}, and 1 to {LastVersion} are known");
        }

        if (Has(IntegrityFlags.Inline) != (_options.Mode == 'I'))
        {
            throw Refuse("the superblock and the table differ on whether tags are inline");
        }

        int tag = BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(10));
        if (tag != TagSize)
        {
            throw Refuse($"the superblock says tags of {tag} bytes, and the table {TagSize}");
        }

        if (_bytes[Log2BlockAt] != Log2Block)
        {
            throw Refuse($"the superblock says blocks of 2^{_bytes[Log2BlockAt]} sectors, and the table of {1 << Log2Block}");
        }

        if (JournalSections == 0 != IsInline)
        {
            throw Refuse($"the superblock is damaged: it says {JournalSections} sections of a journal");
        }

        if (IsApart ? Log2Interleave != 0 : Log2Interleave is < LeastInterleave or > MostInterleave)
        {
            throw Refuse($"the superblock is damaged or of another layout: it says data runs of 2^{Log2Interleave} sectors");
        }

        if (Has(IntegrityFlags.KeyedDiscard) && !_options.KeyedDiscards)
        {
            throw Refuse("the superblock says that tags of discarded blocks depend on the key: allow_discards_keyed cannot be left out any more");
        }

        if (Has(IntegrityFlags.JournalMac) != (_options.JournalMac is not null))
        {
            throw Refuse("the superblock and the table differ on whether the journal is authenticated (journal_mac)");
        }
    }

    private void SetVersion() => _bytes[8] = Flags switch
    {
        var f when (f & IntegrityFlags.KeyedDiscard) != 0 => 7,
        var f when (f & IntegrityFlags.Inline) != 0 => 6,
        var f when (f & IntegrityFlags.FixedHmac) != 0 => 5,
        var f when (f & IntegrityFlags.FixedPadding) != 0 => 4,
        var f when (f & IntegrityFlags.DirtyBitmap) != 0 || _options.Mode == 'B' => 3,
        var f when (f & IntegrityFlags.Recalculating) != 0 || IsApart => 2,
        _ => 1,
    };

    private Span<byte> MacArea(out int size)
    {
        size = Has(IntegrityFlags.FixedHmac) ? _options.JournalMac?.Size ?? 0 : 0;
        return _bytes.AsSpan(Sector.Size - size, size);
    }

    private void MakeMac(int size, Span<byte> mac) => _options.JournalMac!.Hash(_bytes.AsSpan(0, Sector.Size - size), mac);

    private void MeasureProvided()
    {
        if (IsApart)
        {
            ProvidedSectors = _dataSectors >> Log2Block << Log2Block;
            return;
        }

        ProvidedSectors = 0;
        for (int bit = BitOperations.Log2(_metadataSectors); bit >= 3; bit--)
        {
            ulong before = ProvidedSectors;
            ProvidedSectors |= 1ul << bit;
            ProvidedSectors = FitsOnce() ? ProvidedSectors : before;
        }
    }

    // As large a journal as fits; smaller buffers where it does not.
    private void ChooseSections(uint most)
    {
        for (; ; Log2Buffer--)
        {
            JournalSections = 0;
            for (int bit = BitOperations.Log2(most); bit >= 0; bit--)
            {
                uint before = JournalSections;
                uint candidate = before | (1u << bit);
                JournalSections = candidate;
                JournalSections = candidate <= most && FitsOnce() ? candidate : before;
            }

            if (JournalSections != 0 || Log2Buffer <= LeastBuffer)
            {
                return;
            }
        }
    }

    private bool Fits()
    {
        while (!FitsOnce())
        {
            if (!IsApart || Log2Buffer <= LeastBuffer)
            {
                return false;
            }

            Log2Buffer--;
        }

        return true;
    }

    // The kernel's calculate_device_limits.
    private bool FitsOnce()
    {
        ulong initial = InitialSectors;
        if (initial + MetadataPadding >= _metadataSectors || initial > uint.MaxValue)
        {
            return false;
        }

        if (IsApart)
        {
            ulong tags = (ProvidedSectors >> Log2Block) * (ulong)TagSize;
            ulong buffer = 1ul << (Log2Buffer + Sector.Shift);
            return initial + ((tags + buffer - 1) / buffer << Log2Buffer) <= _metadataSectors;
        }

        if (IsInline)
        {
            return initial + ProvidedSectors <= _metadataSectors;
        }

        ulong last = _start + DataSector(ProvidedSectors - 1);
        return last >= _start && last < _metadataSectors;
    }

    private DmException TooSmall() =>
        Refuse($"the device of {_metadataSectors} sectors is too small for a superblock, a journal of {JournalSections} sections, and tags");
}
