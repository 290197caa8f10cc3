using System.Collections.Concurrent;
using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Integrity;

/// <summary>
/// The tags of an integrity device, as bytes, through a cache of their blocks: what is written reaches the device by <see cref="WriteBack()"/>, or when its
/// place in the cache is needed (the kernel keeps them in dm-bufio). Any thread may use blocks that are in the cache; those that have to be read first,
/// and all that goes to the device, are for the target's thread alone.
/// </summary>
internal sealed class TagCache : IDisposable
{
    private const int BlockSize = 4096;
    private const int Capacity = 2048; // blocks

    private readonly DeviceReference _device;
    private readonly Sector _start; // of the first tag
    private readonly ConcurrentDictionary<ulong, Place> _places = new();
    private readonly List<Place> _cache = [];
    private int _hand; // of the clock that chooses what goes

    public TagCache(DeviceReference device, Sector start)
    {
        _device = device;
        _start = start;
    }

    /// <summary>Reads tags, where all of them are in the cache.</summary>
    /// <param name="at">Where they start, in bytes from the first tag of the device.</param>
    /// <param name="tags">Filled.</param>
    public bool TryRead(ulong at, Span<byte> tags)
    {
        while (!tags.IsEmpty)
        {
            Span<byte> part = tags[..PartAt(at, tags.Length)];
            if (Find(at)?.TryGet(at / BlockSize, (int)(at % BlockSize), part) != true)
            {
                return false;
            }

            tags = tags[part.Length..];
            at += (ulong)part.Length;
        }

        return true;
    }

    /// <summary>Writes tags, where all of them are in the cache. Some may be written where it fails.</summary>
    public bool TryWrite(ulong at, ReadOnlySpan<byte> tags)
    {
        while (!tags.IsEmpty)
        {
            ReadOnlySpan<byte> part = tags[..PartAt(at, tags.Length)];
            if (Find(at)?.TryPut(at / BlockSize, (int)(at % BlockSize), part) != true)
            {
                return false;
            }

            tags = tags[part.Length..];
            at += (ulong)part.Length;
        }

        return true;
    }

    /// <summary>Reads tags.</summary>
    /// <param name="at">Where they start, in bytes from the first tag of the device.</param>
    /// <param name="tags">Filled.</param>
    public BioStatus Read(ulong at, Span<byte> tags)
    {
        while (!tags.IsEmpty)
        {
            Span<byte> part = tags[..PartAt(at, tags.Length)];
            if (!TryRead(at, part))
            {
                BioStatus status = Load(at / BlockSize, willFill: false);
                if (status != BioStatus.Ok)
                {
                    return status;
                }

                continue;
            }

            tags = tags[part.Length..];
            at += (ulong)part.Length;
        }

        return BioStatus.Ok;
    }

    /// <summary>Writes tags.</summary>
    public BioStatus Write(ulong at, ReadOnlySpan<byte> tags)
    {
        while (!tags.IsEmpty)
        {
            ReadOnlySpan<byte> part = tags[..PartAt(at, tags.Length)];
            if (!TryWrite(at, part))
            {
                BioStatus status = Load(at / BlockSize, willFill: part.Length == BlockSize);
                if (status != BioStatus.Ok)
                {
                    return status;
                }

                continue;
            }

            tags = tags[part.Length..];
            at += (ulong)part.Length;
        }

        return BioStatus.Ok;
    }

    /// <summary>Writes what has not reached the device; not yet durable.</summary>
    public BioStatus WriteBack()
    {
        BioStatus first = BioStatus.Ok;
        foreach (Place place in _cache)
        {
            BioStatus status = WriteBack(place);
            first = first == BioStatus.Ok ? status : first;
        }

        return first;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Place place in _cache)
        {
            BufferPool.Return(place.Memory);
        }

        _cache.Clear();
        _places.Clear();
    }

    /// <summary>How many of the bytes from a place on lie in its block.</summary>
    private static int PartAt(ulong at, int length) => Math.Min(length, BlockSize - (int)(at % BlockSize));

    private Place? Find(ulong at) => _places.TryGetValue(at / BlockSize, out Place? place) ? place : null;

    private BioStatus Load(ulong block, bool willFill)
    {
        Place? place;
        if (_cache.Count < Capacity)
        {
            place = new Place(BufferPool.Rent(BlockSize));
            _cache.Add(place);
        }
        else if (TryFree(out place) is var freed and not BioStatus.Ok)
        {
            return freed;
        }

        BioStatus status = willFill ? BioStatus.Ok : BlockingIo.Read(_device.Device, PlaceOf(block), new BioBuffer(place.Memory.Address, BlockSize));
        if (status == BioStatus.Ok)
        {
            place.Hold(block);
            _places[block] = place;
        }

        return status;
    }

    /// <summary>Chooses a place that has not been used lately, and empties it.</summary>
    private BioStatus TryFree(out Place place)
    {
        while (true)
        {
            _hand = (_hand + 1) % Capacity;
            place = _cache[_hand];
            if (place.TakeUsed())
            {
                continue;
            }

            BioStatus status = WriteBack(place);
            if (status != BioStatus.Ok)
            {
                return status;
            }

            if (place.TryLeave(out ulong? before))
            {
                if (before is { } block)
                {
                    _places.TryRemove(block, out _);
                }

                return BioStatus.Ok;
            }
        }
    }

    private BioStatus WriteBack(Place place)
    {
        using BufferScope copy = new(BlockSize); // others may write tags meanwhile
        if (!place.TryTakeDirty(copy.Span, out ulong block))
        {
            return BioStatus.Ok;
        }

        BioStatus status = BlockingIo.Write(_device.Device, PlaceOf(block), copy.Buffer);
        if (status != BioStatus.Ok)
        {
            place.SetDirty();
        }

        return status;
    }

    private Sector PlaceOf(ulong block) => _start + SectorCount.FromBytes(block * BlockSize);

    /// <summary>Memory for a block. The target's thread alone changes which block it holds.</summary>
    private sealed class Place(BufferSegment memory)
    {
        private readonly Lock _lock = new();
        private ulong? _block; // null where it holds none
        private bool _isDirty;
        private bool _isUsed;

        public BufferSegment Memory => memory;

        /// <summary>Copies bytes of a block out, if it is the one that is here.</summary>
        public bool TryGet(ulong block, int offset, Span<byte> bytes)
        {
            lock (_lock)
            {
                if (_block != block)
                {
                    return false;
                }

                memory.Span.Slice(offset, bytes.Length).CopyTo(bytes);
                _isUsed = true;
                return true;
            }
        }

        /// <summary>Copies bytes of a block in, if it is the one that is here.</summary>
        public bool TryPut(ulong block, int offset, ReadOnlySpan<byte> bytes)
        {
            lock (_lock)
            {
                if (_block != block)
                {
                    return false;
                }

                bytes.CopyTo(memory.Span[offset..]);
                _isUsed = true;
                _isDirty = true;
                return true;
            }
        }

        /// <summary>Holds a block from now on, whose content is in the memory.</summary>
        public void Hold(ulong block)
        {
            lock (_lock)
            {
                _block = block;
                _isUsed = true;
            }
        }

        /// <summary>Holds no block any more, unless it has to be written first.</summary>
        public bool TryLeave(out ulong? block)
        {
            lock (_lock)
            {
                block = _block;
                _block = _isDirty ? _block : null;
                return !_isDirty;
            }
        }

        /// <summary>Whether it was used since this was asked last.</summary>
        public bool TakeUsed()
        {
            lock (_lock)
            {
                bool used = _isUsed;
                _isUsed = false;
                return used;
            }
        }

        /// <summary>Copies the block out, if it has to be written.</summary>
        public bool TryTakeDirty(Span<byte> copy, out ulong block)
        {
            lock (_lock)
            {
                block = _block ?? 0;
                if (!_isDirty)
                {
                    return false;
                }

                memory.Span[..BlockSize].CopyTo(copy);
                _isDirty = false;
                return true;
            }
        }

        /// <summary>It could not be written.</summary>
        public void SetDirty()
        {
            lock (_lock)
            {
                _isDirty = true;
            }
        }
    }
}
