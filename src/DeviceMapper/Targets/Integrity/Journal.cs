using System.Buffers.Binary;
using DeviceMapper.Io;

namespace DeviceMapper.Targets.Integrity;

/// <summary>
/// The journal of an integrity device, in the kernel's format: sections of eight sectors of entries and the sectors of data that they tell of. Each
/// sector ends in a commit id of its place and of the round in which it was written, so that a torn section is seen.
/// </summary>
/// <remarks>Each write is a section of its own here; what was written to its place stays in the journal until its section is used again, and a replay writes it again, in order.</remarks>
internal sealed class Journal
{
    /// <summary>Sectors of entries at the start of a section.</summary>
    public const int MetadataSectors = 8;

    private const int Rounds = 4; // commit ids, used by turns
    private const int DataBytes = 504; // of a sector, before its commit id
    private const int LastBytes = 8; // of a sector of data: they stand in the entry instead

    private static readonly ulong[] _ids = [0x1111111111111111, 0x2222222222222222, 0x3333333333333333, 0x4444444444444444];

    private readonly IntegritySuperblock _superblock;
    private readonly BlockDevice _device;
    private readonly Sector _start; // of section 0
    private uint _section; // that is written next
    private int _round;

    public Journal(IntegritySuperblock superblock, BlockDevice device, Sector superblockAt)
    {
        _superblock = superblock;
        _device = device;
        _start = superblockAt + new SectorCount(IntegritySuperblock.Sectors);
    }

    /// <summary>Bytes of a section.</summary>
    public int SectionBytes => _superblock.SectionSectors * Sector.Size;

    /// <summary>Blocks that a section takes.</summary>
    public int SectionBlocks => _superblock.SectionEntries;

    private int BlockSize => Sector.Size << _superblock.Log2Block;

    /// <summary>Makes all sections empty.</summary>
    public BioStatus Clear(int round)
    {
        using BioMemoryScope memory = new(SectionBytes);
        for (uint section = 0; section < _superblock.JournalSections; section++)
        {
            Empty(memory.Span);
            Seal(memory.Span, section, round);
            if (WriteSection(section, memory.Buffer) is not BioStatus.Ok and BioStatus status)
            {
                return status;
            }
        }

        _section = 0;
        _round = (round + 1) % Rounds;
        return BioStatus.Ok;
    }

    /// <summary>Writes blocks that follow one another into the next section, durably.</summary>
    /// <param name="sector">The first, of the mapped device.</param>
    /// <param name="data">Their data, at most <see cref="SectionBlocks"/> blocks.</param>
    /// <param name="tags">Their tags.</param>
    public BioStatus Append(ulong sector, ReadOnlySpan<byte> data, ReadOnlySpan<byte> tags)
    {
        using BioMemoryScope memory = new(SectionBytes);
        Span<byte> section = memory.Span;
        Empty(section);
        for (int block = 0; block * BlockSize < data.Length; block++)
        {
            ReadOnlySpan<byte> content = data.Slice(block * BlockSize, BlockSize);
            Span<byte> entry = EntryOf(section, block);
            BinaryPrimitives.WriteUInt64LittleEndian(entry, sector + ((ulong)block << _superblock.Log2Block));
            Span<byte> place = DataOf(section, block);
            content.CopyTo(place);
            for (int i = 0; i < 1 << _superblock.Log2Block; i++)
            {
                content.Slice((i * Sector.Size) + DataBytes, LastBytes).CopyTo(entry[(8 + (LastBytes * i))..]);
            }

            tags.Slice(block * _superblock.TagSize, _superblock.TagSize).CopyTo(entry[(8 + (LastBytes << _superblock.Log2Block))..]);
        }

        Seal(section, _section, _round);
        BioStatus status = WriteSection(_section, memory.Buffer);
        if (++_section == _superblock.JournalSections)
        {
            _section = 0;
            _round = (_round + 1) % Rounds;
        }

        return status == BioStatus.Ok ? BlockingIo.Flush(_device) : status;
    }

    /// <summary>Gives the blocks of all complete sections, oldest first, and empties the journal.</summary>
    /// <param name="replay">Takes sector, data and tag of a block.</param>
    public BioStatus Replay(ReplayBlock replay)
    {
        uint sections = _superblock.JournalSections;
        int[] rounds = new int[sections]; // of each section; negative where it is torn
        using BioMemoryScope memory = new(SectionBytes);
        bool[] used = new bool[Rounds];
        for (uint section = 0; section < sections; section++)
        {
            if (ReadSection(section, memory.Buffer) is not BioStatus.Ok and BioStatus status)
            {
                return status;
            }

            rounds[section] = RoundOf(memory.Span, section);
            if (rounds[section] >= 0)
            {
                used[rounds[section]] = true;
            }
        }

        // The newest round is the one before the first that is not in use; sections after its last are of the round before.
        int unused = used[Rounds - 1] ? Array.IndexOf(used, false) : Array.LastIndexOf(used, true) + 1;
        int newest = (unused + Rounds - 1) % Rounds;
        uint start = unused < 0 ? 0 : (uint)(Array.LastIndexOf(rounds, newest) + 1) % sections;
        for (uint i = 0; i < sections && unused >= 0; i++)
        {
            uint section = (start + i) % sections;
            if (rounds[section] < 0)
            {
                continue;
            }

            if (ReadSection(section, memory.Buffer) is not BioStatus.Ok and BioStatus status)
            {
                return status;
            }

            if (ReplaySection(memory.Span, replay) is not BioStatus.Ok and BioStatus failed)
            {
                return failed;
            }
        }

        return Clear(0);
    }

    private BioStatus ReplaySection(Span<byte> section, ReplayBlock replay)
    {
        for (int block = 0; block < SectionBlocks; block++)
        {
            ReadOnlySpan<byte> entry = EntryOf(section, block);
            if (BinaryPrimitives.ReadUInt32LittleEndian(entry[4..]) == uint.MaxValue)
            {
                continue;
            }

            Span<byte> data = DataOf(section, block);
            for (int i = 0; i < 1 << _superblock.Log2Block; i++)
            {
                entry.Slice(8 + (LastBytes * i), LastBytes).CopyTo(data[((i * Sector.Size) + DataBytes)..]);
            }

            ulong sector = BinaryPrimitives.ReadUInt64LittleEndian(entry);
            BioStatus status = replay(sector, data, entry.Slice(8 + (LastBytes << _superblock.Log2Block), _superblock.TagSize));
            if (status != BioStatus.Ok)
            {
                return status;
            }
        }

        return BioStatus.Ok;
    }

    private void Empty(Span<byte> section)
    {
        section.Clear();
        for (int block = 0; block < SectionBlocks; block++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(EntryOf(section, block)[4..], uint.MaxValue); // of an entry that is not used
        }
    }

    private static void Seal(Span<byte> bytes, uint section, int round)
    {
        for (int i = 0; i * Sector.Size < bytes.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes[((i * Sector.Size) + DataBytes)..], _ids[round] ^ ((ulong)section << 32) ^ (uint)i);
        }
    }

    /// <summary>The round in which a section was written; -1 where its sectors do not agree.</summary>
    private static int RoundOf(ReadOnlySpan<byte> bytes, uint section)
    {
        int round = -1;
        for (int i = 0; i * Sector.Size < bytes.Length; i++)
        {
            ulong id = BinaryPrimitives.ReadUInt64LittleEndian(bytes[((i * Sector.Size) + DataBytes)..]) ^ ((ulong)section << 32) ^ (uint)i;
            int found = Array.IndexOf(_ids, id);
            if (found < 0 || (i > 0 && found != round))
            {
                return -1;
            }

            round = found;
        }

        return round;
    }

    private Span<byte> EntryOf(Span<byte> section, int block) =>
        section.Slice(((block % MetadataSectors) * Sector.Size) + (block / MetadataSectors * _superblock.EntrySize), _superblock.EntrySize);

    private Span<byte> DataOf(Span<byte> section, int block) => section.Slice((MetadataSectors * Sector.Size) + (block * BlockSize), BlockSize);

    private Sector PlaceOf(uint section) => _start + new SectorCount((ulong)section * (ulong)_superblock.SectionSectors);

    private BioStatus ReadSection(uint section, BioBuffer buffer) => BlockingIo.Read(_device, PlaceOf(section), buffer);

    private BioStatus WriteSection(uint section, BioBuffer buffer) => BlockingIo.Write(_device, PlaceOf(section), buffer);
}

/// <summary>Takes a block of the journal.</summary>
internal delegate BioStatus ReplayBlock(ulong sector, ReadOnlySpan<byte> data, ReadOnlySpan<byte> tag);

/// <summary>A buffer of the pool for as long as a method needs it.</summary>
internal readonly ref struct BioMemoryScope(int length)
{
    private readonly BufferSegment _segment = BufferPool.Rent(length);
    private readonly int _length = length;

    /// <summary>Its memory.</summary>
    public Span<byte> Span => _segment.Span[.._length];

    /// <summary>The same, for a bio.</summary>
    public BioBuffer Buffer => new(_segment.Address, _length);

    /// <summary>Gives it back.</summary>
    public void Dispose() => BufferPool.Return(_segment);
}
