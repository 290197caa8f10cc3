using DeviceMapper.Io;

namespace DeviceMapper.Targets.Integrity;

/// <summary>
/// The ring of a journal: blocks are taken into memory, committed to the device together, and then written to their places (the kernel's
/// <c>integrity_commit</c>, <c>integrity_writer</c> and <c>replay_journal</c>). Used by the target's thread alone.
/// </summary>
internal sealed class Journal : IDisposable
{
    private const int Rounds = JournalMemory.Rounds;

    private readonly IntegrityDevice _device;
    private readonly JournalMemory _memory;
    private readonly JournalIndex _index;
    private readonly ulong _threshold; // free entries below which it is written back
    private readonly int _blockSectors;

    private readonly bool[] _used = new bool[Rounds]; // which rounds' commit ids a replay found

    private int _round; // of the next commit
    private uint _committed; // first section that is committed and not yet at its place
    private uint _committedCount;
    private uint _uncommitted; // first section that is full and not yet committed
    private uint _uncommittedCount;
    private uint _free; // section that takes the next block
    private int _freeEntry; // in it
    private ulong _freeEntries; // of all sections
    private bool _wasWritten;
    private bool _isCurrent; // memory has what the device has

    /// <summary>Makes it for an opened device.</summary>
    public Journal(IntegrityDevice device)
    {
        _device = device;
        _memory = new JournalMemory(device);
        _index = new JournalIndex((int)device.Superblock.JournalEntries);
        _threshold = device.Superblock.FreeThreshold;
        _blockSectors = 1 << device.Superblock.Log2Block;
    }

    /// <summary>The journal's bytes.</summary>
    public JournalMemory Memory => _memory;

    /// <summary>Whether blocks wait for a commit.</summary>
    public bool HasUncommitted => _uncommittedCount > 0 || _freeEntry > 0;

    /// <summary>Whether so few entries are free that it has to be committed and written back.</summary>
    public bool IsFull => _freeEntries <= _threshold;

    /// <summary>Whether no block is in it.</summary>
    public bool IsEmpty => _index.IsEmpty;

    private uint Sections => _memory.Sections;

    /// <summary>Makes that of a blank device.</summary>
    public void Format() => _memory.Empty(0, Sections, 0);

    /// <summary>Takes blocks that follow one another, as many as are free.</summary>
    /// <param name="sector">Of the first.</param>
    /// <param name="data">The blocks.</param>
    /// <param name="tags">A tag for each, where they come from above; else none.</param>
    /// <returns>How many.</returns>
    public int Add(ulong sector, BioBuffer data, ReadOnlySpan<byte> tags)
    {
        int size = _device.BlockSize;
        int count = (int)Math.Min((ulong)(data.Length / size), _freeEntries);
        for (int i = 0; i < count; i++, sector += (ulong)_blockSectors)
        {
            _index.Add(PositionOf(_free, _freeEntry), sector);
            ReadOnlySpan<byte> block = _memory.Put(_free, _freeEntry, sector, data.Slice(i * size, size));
            Span<byte> tag = _memory.TagOf(_free, _freeEntry);
            if (_device.Options.InternalHash is not null)
            {
                _device.MakeTag(sector, block, tag);
            }
            else if (!tags.IsEmpty)
            {
                tags.Slice(i * tag.Length, tag.Length).CopyTo(tag);
            }
            else
            {
                tag.Clear();
            }

            if (++_freeEntry == _memory.SectionEntries)
            {
                _freeEntry = 0;
                _free = (_free + 1) % Sections;
                _uncommittedCount++;
            }
        }

        _freeEntries -= (ulong)count;
        return count;
    }

    /// <summary>Copies the newest block of a sector, where the journal has one, and its tag, where that is wanted.</summary>
    public bool TryGet(ulong sector, BioBuffer block, Span<byte> tag)
    {
        int position = _index.Find(sector);
        if (position < 0)
        {
            return false;
        }

        (uint section, int entry) = PlaceOf(position);
        _memory.Get(section, entry, block);
        if (!tag.IsEmpty)
        {
            _memory.TagOf(section, entry).CopyTo(tag);
        }

        return true;
    }

    /// <summary>Whether it has a block of a sector.</summary>
    public bool Has(ulong sector) => _index.Find(sector) >= 0;

    /// <summary>Makes what was taken durable.</summary>
    public void Commit()
    {
        if (_freeEntry > 0)
        {
            _freeEntries -= (ulong)(_memory.SectionEntries - _freeEntry);
            _freeEntry = 0;
            _free = (_free + 1) % Sections;
            _uncommittedCount++;
        }

        if (_uncommittedCount == 0)
        {
            return;
        }

        _wasWritten = true;
        uint start = _uncommitted;
        uint count = _uncommittedCount;
        for (uint i = 0; i < count; i++)
        {
            _memory.Seal(_uncommitted, _round);
            _uncommitted = (_uncommitted + 1) % Sections;
            _round = _uncommitted == 0 ? Next(_round) : _round;
        }

        _memory.Write(start, count);
        _uncommittedCount = 0;
        _committedCount += count;
    }

    /// <summary>Writes what is committed to its place, and makes that durable.</summary>
    public void WriteBack()
    {
        uint count = _committedCount;
        if (count == 0)
        {
            return;
        }

        WriteBlocks(_committed, count, replay: false);
        _committed = (_committed + count) % Sections;
        _committedCount -= count;
        _freeEntries += count * (ulong)_memory.SectionEntries;
    }

    /// <summary>Commits, writes back and leaves an empty journal: at a suspend.</summary>
    public void Finish()
    {
        Commit();
        WriteBack();
        _device.Flush();
        if (_wasWritten)
        {
            _memory.Empty(_free, Sections - _free, _round);
            _memory.Empty(0, _free, Next(_round));
            _wasWritten = false;
        }

        _isCurrent = true;
    }

    /// <summary>The memory has what the device has: there is nothing to replay.</summary>
    public void SetCurrent() => _isCurrent = true;

    /// <summary>Brings what a crash left in the journal to its place, and finds where to go on.</summary>
    /// <param name="isFormatted">The journal was made just now, and need not be read.</param>
    public void Replay(bool isFormatted)
    {
        if (_isCurrent)
        {
            return;
        }

        _isCurrent = true;
        if (!isFormatted)
        {
            _memory.Read();
        }

        int last = 0; // round
        uint start = 0; // where the next commit goes, which is where the oldest section is
        uint complete = 0; // sections from there that are whole
        int round = 0;
        bool empty = true;
        bool readable = _device.Failure == BioStatus.Ok && Survey(out last, out start, out empty);
        if (readable)
        {
            round = Prior(last);
            empty |= !_used[round] && _used[Prior(round)];
            round = start >= Sections ? Next(round) : round;
            start %= Sections;
            uint section = start;
            while (complete < Sections && _memory.IsOfRound(section, round))
            {
                complete++;
                section = (section + 1) % Sections;
                round = section == 0 ? Next(round) : round;
            }

            if (!empty)
            {
                WriteBlocks(start, complete, replay: true);
            }
        }

        if (readable && complete == Sections && (_device.Options.Mode == 'J' || empty))
        {
            Begin(start, round);
        }
        else
        {
            Erase(start, Prior(Prior(last)));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();

    private static int Next(int round) => (round + 1) % Rounds;

    private static int Prior(int round) => (round + Rounds - 1) % Rounds;

    private int PositionOf(uint section, int entry) => (int)(section * (uint)_memory.SectionEntries) + entry;

    private (uint Section, int Entry) PlaceOf(int position) => ((uint)(position / _memory.SectionEntries), position % _memory.SectionEntries);

    /// <summary>Which rounds' commit ids there are.</summary>
    /// <param name="last">The newest.</param>
    /// <param name="start">The section after its last; may be behind the end.</param>
    /// <param name="empty">Whether no entry is in use.</param>
    /// <returns>False where some sector has no commit id at all.</returns>
    private bool Survey(out int last, out uint start, out bool empty)
    {
        Span<uint> highest = stackalloc uint[Rounds];
        Array.Clear(_used);
        last = 0;
        start = 0;
        empty = true;
        for (uint section = 0; section < Sections; section++)
        {
            for (int sector = 0; sector < _device.Superblock.SectionSectors; sector++)
            {
                int round = _memory.RoundOf(section, sector);
                if (round < 0)
                {
                    _device.FailUnlessOk("reading a commit id of the journal", BioStatus.IoError);
                    return false;
                }

                _used[round] = true;
                highest[round] = section;
            }

            for (int entry = 0; empty && entry < _memory.SectionEntries; entry++)
            {
                empty = _memory.IsUnused(section, entry);
            }
        }

        int unused = _used[Rounds - 1] ? Array.IndexOf(_used, false) : Array.LastIndexOf(_used, true) + 1;
        if (unused < 0)
        {
            _device.FailUnlessOk("finding the journal's end", BioStatus.IoError);
            return false;
        }

        last = Prior(unused);
        start = highest[last] + 1;
        return true;
    }

    private void Erase(uint start, int round)
    {
        _memory.Empty(start, 1, round);
        if (Sections >= 2)
        {
            _memory.Empty((start + 1) % Sections, Sections - 2, round);
            _memory.Empty((start + Sections - 1) % Sections, 1, round);
        }

        Begin(0, Next(round));
    }

    private void Begin(uint section, int round)
    {
        _round = round;
        _committed = _uncommitted = _free = section;
        _committedCount = _uncommittedCount = 0;
        _freeEntry = 0;
        _freeEntries = _device.Superblock.JournalEntries;
        _index.Clear();
    }

    /// <summary>Writes the blocks of sections to their places (the kernel's <c>do_journal_write</c>).</summary>
    private void WriteBlocks(uint start, uint count, bool replay)
    {
        for (uint i = 0; i < count; i++)
        {
            uint section = (start + i) % Sections;
            for (int entry = 0; entry < _memory.SectionEntries; entry++)
            {
                if (!_memory.IsUnused(section, entry))
                {
                    entry += WriteRun(section, entry, replay) - 1;
                }
            }
        }

        _device.Flush();
    }

    /// <summary>Writes entries whose blocks follow one another, in the section and on the device, in one piece.</summary>
    /// <returns>How many entries that were.</returns>
    private int WriteRun(uint section, int first, bool replay)
    {
        ulong sector = _memory.SectorOf(section, first);
        if (replay && (sector & (ulong)(_blockSectors - 1)) != 0)
        {
            _device.FailUnlessOk("finding a sector that the journal tells of", BioStatus.IoError);
            sector &= ~(ulong)(_blockSectors - 1);
        }

        if (replay && sector >= _device.Superblock.ProvidedSectors)
        {
            _memory.SetUnused(section, first);
            return 1;
        }

        int count = 1;
        while (first + count < _memory.SectionEntries && Follows(section, first + count, sector + ((ulong)count * (ulong)_blockSectors)))
        {
            count++;
        }

        int from = 0; // without what a newer committed block replaces, at either end
        int to = count;
        while (!replay && from < to && IsReplaced(section, first + from))
        {
            from++;
        }

        while (!replay && from < to && IsReplaced(section, first + to - 1))
        {
            to--;
        }

        BioBuffer blocks = default;
        for (int i = 0; i < count; i++)
        {
            BioBuffer block = _memory.Restore(section, first + i);
            bool written = i >= from && i < to;
            if (written)
            {
                blocks = i == from ? block : new BioBuffer(blocks.Address, blocks.Length + block.Length);
                WriteTag(section, first + i, sector + ((ulong)i * (ulong)_blockSectors), block, replay);
            }

            if (!replay)
            {
                _index.Remove(PositionOf(section, first + i));
            }

            _memory.SetUnused(section, first + i);
        }

        if (from < to && _device.Failure == BioStatus.Ok)
        {
            _device.FailUnlessOk("writing blocks of the journal to their place", _device.WriteData(sector + ((ulong)from * (ulong)_blockSectors), blocks));
        }

        return count;
    }

    private void WriteTag(uint section, int entry, ulong sector, BioBuffer block, bool replay)
    {
        Span<byte> tag = _memory.TagOf(section, entry);
        if (replay && _device.Options.InternalHash is not null)
        {
            Span<byte> expected = stackalloc byte[tag.Length];
            _device.MakeTag(sector, block.Span, expected);
            if (!tag.SequenceEqual(expected))
            {
                _device.FailUnlessOk("checking a tag of the journal", BioStatus.Protection);
            }
        }

        _device.FailUnlessOk("writing a tag of the journal to its place", _device.WriteTags(sector, tag));
    }

    private bool Follows(uint section, int entry, ulong sector)
    {
        ulong interleave = _device.Superblock.Interleave;
        return !_memory.IsUnused(section, entry)
            && _memory.SectorOf(section, entry) == sector
            && sector < _device.Superblock.ProvidedSectors
            && (interleave == 0 || (sector & (interleave - 1)) != 0);
    }

    /// <summary>Whether a later block of the same sector is committed too.</summary>
    private bool IsReplaced(uint section, int entry)
    {
        int newer = _index.NewerThan(PositionOf(section, entry));
        return newer >= 0 && (PlaceOf(newer).Section + Sections - _committed) % Sections < _committedCount;
    }
}
