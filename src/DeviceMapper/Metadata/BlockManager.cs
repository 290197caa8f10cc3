using System.Collections.Concurrent;
using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Metadata;

/// <summary>
/// Reads and writes the blocks of a metadata device, through a cache of bounded size (the kernel's dm-block-manager over dm-bufio).
/// </summary>
/// <remarks>
/// Any number of threads may read at once while nobody writes; whoever owns the metadata sees to that with one lock. Blocks that were changed
/// may be written early when they are too many: until the superblock is written nothing refers to them.
/// </remarks>
internal sealed class BlockManager
{
    private readonly BlockDevice _device;
    private readonly int _capacity; // blocks
    private readonly ConcurrentDictionary<ulong, MetadataBlock> _cache = new();
    private readonly Queue<MetadataBlock> _clock = []; // all cached blocks, in the order in which they are looked at
    private readonly Lock _clockLock = new();
    private readonly HashSet<MetadataBlock> _dirty = [];

    /// <summary>Works on a device.</summary>
    /// <param name="device">Which.</param>
    /// <param name="capacity">The most blocks in memory.</param>
    public BlockManager(BlockDevice device, int capacity = 4096)
    {
        _device = device;
        _capacity = capacity;
    }

    /// <summary>How many blocks the device has.</summary>
    public ulong DeviceBlocks => _device.Size.Bytes / BlockKind.Size;

    /// <summary>Gives a block that is in memory; null where it would have to be read, or is of another kind.</summary>
    public MetadataBlock? FindCached(ulong number, BlockKind kind)
    {
        if (!_cache.TryGetValue(number, out MetadataBlock? block) || block.Kind != kind)
        {
            return null;
        }

        if (!block.WasUsed)
        {
            block.WasUsed = true; // written only where it changes: readers share the line
        }

        return block;
    }

    /// <summary>Gives a block, read from the device if it must be.</summary>
    /// <exception cref="DmException">EIO or the like: it cannot be read; ENOTBLK, EILSEQ: it is not what it should be.</exception>
    public MetadataBlock Read(ulong number, BlockKind kind)
    {
        if (_cache.TryGetValue(number, out MetadataBlock? block))
        {
            block.WasUsed = true;
            return block.Kind == kind
                ? block
                : throw new DmException(Errno.EILSEQ, $"metadata block {number} should be a {kind.Name}, and is a {block.Kind.Name}");
        }

        block = new MetadataBlock(number, kind);
        ReadFromDevice(number, block.Data);
        kind.Check(block.Data, number);
        return Add(block);
    }

    /// <summary>Reads a block past the cache, whatever is in it.</summary>
    public void ReadFromDevice(ulong number, Span<byte> data)
    {
        if (number >= DeviceBlocks)
        {
            throw new DmException(Errno.EIO, $"metadata block {number} lies beyond the end of the metadata device, which has {DeviceBlocks} blocks");
        }

        BufferSegment buffer = BufferPool.Rent(BlockKind.Size);
        try
        {
            BioStatus status = BlockingIo.Read(_device, SectorOf(number), new BioBuffer(buffer.Address, BlockKind.Size));
            if (status != BioStatus.Ok)
            {
                throw new DmException(status.ToErrno(), $"metadata block {number} cannot be read");
            }

            buffer.Span[..BlockKind.Size].CopyTo(data);
        }
        finally
        {
            BufferPool.Return(buffer);
        }
    }

    /// <summary>Makes a block of zeroes, to be filled and written.</summary>
    public MetadataBlock New(ulong number, BlockKind kind)
    {
        Forget(number);
        MetadataBlock block = new(number, kind);
        Array.Clear(block.Data);
        MarkDirty(block);
        return Add(block);
    }

    /// <summary>A block will be written.</summary>
    public void MarkDirty(MetadataBlock block)
    {
        if (!block.IsDirty)
        {
            block.IsDirty = true;
            _dirty.Add(block);
        }
    }

    /// <summary>A block is free: what is in memory of it is worth nothing.</summary>
    public void Forget(ulong number)
    {
        if (_cache.TryRemove(number, out MetadataBlock? block))
        {
            block.IsDirty = false;
            _dirty.Remove(block);
        }
    }

    /// <summary>Forgets everything, changes as well.</summary>
    public void Clear()
    {
        lock (_clockLock)
        {
            _clock.Clear();
            _dirty.Clear();
            _cache.Clear();
        }
    }

    /// <summary>Writes what was changed, and makes it durable.</summary>
    /// <exception cref="DmException">The errno of the write.</exception>
    public void Flush()
    {
        WriteDirty();
        BioStatus status = BlockingIo.Flush(_device);
        if (status != BioStatus.Ok)
        {
            throw new DmException(status.ToErrno(), "the metadata device cannot be flushed");
        }
    }

    /// <summary>Writes one block, durably: that which makes a transaction the current one.</summary>
    public void WriteDurably(ulong number, BlockKind kind, ReadOnlySpan<byte> data)
    {
        BufferSegment buffer = BufferPool.Rent(BlockKind.Size);
        try
        {
            data.CopyTo(buffer.Span);
            kind.Seal(buffer.Span[..BlockKind.Size], number);
            BioStatus status = BlockingIo.Write(_device, SectorOf(number), new BioBuffer(buffer.Address, BlockKind.Size), BioFlags.Fua);
            if (status != BioStatus.Ok)
            {
                throw new DmException(status.ToErrno(), $"metadata block {number} ({kind.Name}) cannot be written");
            }
        }
        finally
        {
            BufferPool.Return(buffer);
        }
    }

    /// <summary>Writes changed blocks early where they are too many to be kept. Only between changes: whoever holds a block to change it must ask for it again.</summary>
    public void LimitDirty()
    {
        if (_dirty.Count > _capacity / 2)
        {
            WriteDirty();
        }
    }

    private void WriteDirty()
    {
        if (_dirty.Count > 0)
        {
            BlockWriter writer = new(_device);
            foreach (MetadataBlock block in _dirty)
            {
                block.Kind.Seal(block.Data, block.Number);
                writer.Write(SectorOf(block.Number), block.Data);
            }

            writer.Wait();
            foreach (MetadataBlock block in _dirty)
            {
                block.IsDirty = false;
            }

            _dirty.Clear();
        }
    }

    private MetadataBlock Add(MetadataBlock block)
    {
        MetadataBlock there = _cache.GetOrAdd(block.Number, block);
        if (there == block)
        {
            lock (_clockLock)
            {
                _clock.Enqueue(block);
                Evict();
            }
        }

        return there;
    }

    /// <summary>Forgets blocks that were not used since they were last looked at, and need not be written.</summary>
    private void Evict()
    {
        for (int looked = 0; _clock.Count > _capacity && looked < 64; looked++)
        {
            MetadataBlock block = _clock.Dequeue();
            if (block.WasUsed || block.IsDirty)
            {
                if (_cache.TryGetValue(block.Number, out MetadataBlock? there) && there == block)
                {
                    block.WasUsed = false;
                    _clock.Enqueue(block);
                }
            }
            else
            {
                _cache.TryRemove(new KeyValuePair<ulong, MetadataBlock>(block.Number, block));
            }
        }
    }

    private static Sector SectorOf(ulong number) => Sector.FromBytes(number * BlockKind.Size);
}
