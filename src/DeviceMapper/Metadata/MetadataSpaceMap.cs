using System.Runtime.InteropServices;
using DeviceMapper.Native;

namespace DeviceMapper.Metadata;

/// <summary>
/// Which metadata blocks are in use (the kernel's dm-space-map-metadata). It counts the blocks that it consists of, too: so changes are
/// gathered in memory, and put into copies of its bitmaps when the transaction ends.
/// </summary>
internal sealed class MetadataSpaceMap
{
    private readonly TransactionManager _transaction;
    private readonly ReferenceCounts _counts;
    private readonly FlatBitmapIndex _index;
    private readonly Dictionary<ulong, int> _changes = []; // since the bitmaps were changed last: block to difference of its count
    private ulong _cursor;
    private bool _isShadowing; // a bitmap is being copied, which itself changes counts
    private ulong _bootstrap; // while a new map is made: blocks below are in use
    private ulong _freeBefore; // when this transaction began
    private ulong _taken; // blocks, in this transaction
    private ulong? _lastFree; // when a block was last taken

    /// <summary>Makes one that knows no blocks yet.</summary>
    public MetadataSpaceMap(TransactionManager transaction)
    {
        _transaction = transaction;
        _index = new FlatBitmapIndex(transaction);
        _counts = new ReferenceCounts(transaction, _index);
    }

    /// <summary>How many blocks there are.</summary>
    public ulong Blocks => _counts.Blocks;

    /// <summary>How many are free: what this transaction frees or adds does not count before its end (the kernel's <c>sm_metadata_get_nr_free</c>).</summary>
    public ulong Free => unchecked(_freeBefore - _taken); // wraps, too, where the blocks that were taken have just been added

    /// <summary>Free blocks at which they become few.</summary>
    public ulong Threshold { get; set; }

    /// <summary>
    /// How often they became few. What a transaction frees is not free before its end, so that may be in each (the kernel's <c>check_threshold</c>).
    /// </summary>
    public int TimesLow { get; private set; }

    /// <summary>What the superblock keeps; after <see cref="PreCommit"/>.</summary>
    public SpaceMapRoot Root => _counts.Root;

    /// <summary>Makes a new one.</summary>
    /// <param name="blocks">How many blocks the device has.</param>
    /// <param name="reserved">How many at its start are in use already: the superblock.</param>
    public void Create(ulong blocks, ulong reserved)
    {
        blocks = Math.Min(blocks, (ulong)FlatBitmapIndex.MostBitmaps * Bitmap.Entries);
        _bootstrap = blocks; // a simple rising allocation, until there are bitmaps to look at
        _cursor = reserved;
        _index.Create();
        _counts.Create();
        _counts.Extend(blocks);
        _bootstrap = 0;
        _freeBefore = blocks;
        for (ulong block = 0; block < reserved; block++)
        {
            Change(block, 1);
        }
    }

    /// <summary>Takes what the superblock kept.</summary>
    public void Open(SpaceMapRoot root)
    {
        _counts.Open(root);
        _freeBefore = root.Blocks - root.Allocated;
        _index.Open(root.Bitmaps, ReferenceCounts.BitmapsFor(root.Blocks));
    }

    /// <summary>Has more blocks.</summary>
    public void Extend(ulong blocks)
    {
        blocks = Math.Min(blocks, (ulong)FlatBitmapIndex.MostBitmaps * Bitmap.Entries);
        ulong before = Blocks;
        if (blocks > before)
        {
            // The new bitmaps may have to be in the new blocks themselves, which no bitmap counts yet.
            ulong cursor = _cursor;
            (_bootstrap, _cursor) = (blocks, before);
            _counts.Extend(blocks);
            (_bootstrap, _cursor) = (0, cursor);
        }
    }

    /// <summary>Takes a free block.</summary>
    /// <exception cref="DmException">ENOSPC: none is free.</exception>
    public ulong Allocate()
    {
        ulong block = (_bootstrap != 0 ? Next() : FindFree(_cursor, Blocks) ?? FindFree(0, _cursor))
            ?? throw new DmException(Errno.ENOSPC, "no metadata block is free");
        _cursor = block + 1;
        Change(block, 1);
        if (_bootstrap == 0)
        {
            _taken++;
            CheckThreshold();
        }

        return block;
    }

    /// <summary>How often a block is referred to.</summary>
    public uint CountOf(ulong block)
    {
        int change = _changes.GetValueOrDefault(block);
        return (uint)((_bootstrap != 0 || block >= Blocks ? 0 : (int)_counts[block]) + change);
    }

    /// <summary>One more refers to a block.</summary>
    /// <exception cref="DmException">EILSEQ: there is no such block.</exception>
    public void Increment(ulong block)
    {
        if (_bootstrap == 0 && block >= Blocks)
        {
            throw new DmException(Errno.EILSEQ, $"metadata block {block} is referred to, and lies beyond the {Blocks} blocks of the space map");
        }

        Change(block, 1);
    }

    /// <summary>One less refers to a block.</summary>
    /// <exception cref="DmException">EILSEQ: none did.</exception>
    public void Decrement(ulong block)
    {
        if (CountOf(block) == 0)
        {
            throw new DmException(Errno.EILSEQ, $"metadata block {block} is in use, and the space map says that it is free");
        }

        Change(block, -1);
    }

    /// <summary>Puts all changes into the bitmaps. That allocates blocks and frees others, so it goes on until nothing is left.</summary>
    public void PreCommit()
    {
        _isShadowing = true;
        try
        {
            do
            {
                ApplyAll();
            }
            while (_index.Save());
        }
        finally
        {
            _isShadowing = false;
        }
    }

    /// <summary>A new transaction begins.</summary>
    public void Committed()
    {
        _index.Committed();
        (_freeBefore, _taken) = (Blocks - _counts.Allocated, 0);
    }

    private void CheckThreshold()
    {
        TimesLow += Free <= Threshold && !(_lastFree <= Threshold) ? 1 : 0;
        _lastFree = Free;
    }

    private void ApplyAll()
    {
        while (_changes.Count > 0)
        {
            ulong[] blocks = [.. _changes.Keys];
            Array.Sort(blocks);
            foreach (ulong block in blocks)
            {
                Apply(block);
            }
        }
    }

    /// <summary>Puts a change into its bitmap. The change stays until that is done, since doing it allocates blocks.</summary>
    private void Apply(ulong block)
    {
        if (_changes.TryGetValue(block, out int change))
        {
            _counts[block] = (uint)((int)_counts[block] + change);
            AddChange(block, -change);
        }
    }

    private void Change(ulong block, int difference)
    {
        uint before = CountOf(block);
        AddChange(block, difference);
        if (before != 0 && before + difference == 0)
        {
            _transaction.Freed(block);
        }

        if (_bootstrap == 0 && !_isShadowing)
        {
            // At the first change and not at the commit, so that blocks are taken in the kernel's order.
            _isShadowing = true;
            try
            {
                _counts.ShadowBitmap(block);
            }
            finally
            {
                _isShadowing = false;
            }
        }
    }

    private void AddChange(ulong block, int difference)
    {
        ref int change = ref CollectionsMarshal.GetValueRefOrAddDefault(_changes, block, out _);
        change += difference;
        if (change == 0)
        {
            _changes.Remove(block);
        }
    }

    private ulong? Next() => _cursor < _bootstrap ? _cursor : null;

    private ulong? FindFree(ulong from, ulong end)
    {
        while (_counts.FindFree(from, end) is { } block)
        {
            if (!_changes.ContainsKey(block))
            {
                return block;
            }

            from = block + 1;
        }

        return null;
    }
}
