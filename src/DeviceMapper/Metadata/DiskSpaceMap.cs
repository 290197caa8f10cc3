using DeviceMapper.Native;

namespace DeviceMapper.Metadata;

/// <summary>Which blocks of a data device are in use (the kernel's dm-space-map-disk).</summary>
internal sealed class DiskSpaceMap
{
    private readonly ReferenceCounts _counts;
    private ulong _cursor; // where the next free block is looked for

    /// <summary>Makes an empty one, or takes what the superblock kept.</summary>
    public DiskSpaceMap(TransactionManager transaction, SpaceMapRoot? root)
    {
        _counts = new ReferenceCounts(transaction, new TreeBitmapIndex(transaction, root?.Bitmaps));
        if (root is { } there)
        {
            _counts.Open(there);
        }
        else
        {
            _counts.Create();
        }
    }

    /// <summary>How many blocks there are.</summary>
    public ulong Blocks => _counts.Blocks;

    /// <summary>How many are free, as far as they count: what this transaction freed is counted, and cannot be taken yet.</summary>
    public ulong Free => _counts.Blocks - _counts.Allocated;

    /// <summary>What the superblock keeps; after <see cref="PreCommit"/>.</summary>
    public SpaceMapRoot Root => _counts.Root;

    /// <summary>Has more blocks.</summary>
    public void Extend(ulong blocks) => _counts.Extend(blocks);

    /// <summary>A free block: the next after the last one taken; null if there is none.</summary>
    public ulong? FindFree() => _counts.FindFree(_cursor, Blocks) ?? _counts.FindFree(0, _cursor);

    /// <summary>Takes a free block.</summary>
    public void Take(ulong block)
    {
        _cursor = block + 1;
        _counts[block] = 1;
    }

    /// <summary>How often a block is referred to.</summary>
    public uint CountOf(ulong block) => _counts[block];

    /// <summary>One more refers to a block.</summary>
    /// <exception cref="DmException">EILSEQ: more cannot be counted.</exception>
    public void Increment(ulong block)
    {
        uint count = _counts[block];
        _counts[block] = count < uint.MaxValue
            ? count + 1
            : throw new DmException(Errno.EILSEQ, $"the space map says that data block {block} is in use {count} times, and cannot count further");
    }

    /// <summary>One less refers to a block.</summary>
    /// <exception cref="DmException">EILSEQ: none did.</exception>
    public void Decrement(ulong block)
    {
        uint count = _counts[block];
        _counts[block] = count > 0
            ? count - 1
            : throw new DmException(Errno.EILSEQ, $"data block {block} is in use, and the space map says that it is free");
    }

    /// <summary>Puts what changed into metadata blocks.</summary>
    public void PreCommit() => _counts.Index.Save();

    /// <summary>A new transaction begins.</summary>
    public void Committed() => _counts.Index.Committed();
}
