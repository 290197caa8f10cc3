using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Integrity;

/// <summary>
/// The tags of an integrity device, as bytes, through a cache of their blocks: what is written reaches the device by <see cref="WriteBack()"/>, or when its
/// place in the cache is needed (the kernel keeps them in dm-bufio). Used by one thread.
/// </summary>
internal sealed class TagCache : IDisposable
{
    private const int BlockSize = 4096;
    private const int Capacity = 2048; // blocks

    private readonly DeviceReference _device;
    private readonly Sector _start; // of the first tag
    private readonly Dictionary<ulong, int> _places = [];
    private readonly List<Place> _cache = [];
    private int _hand; // of the clock that chooses what goes

    public TagCache(DeviceReference device, Sector start)
    {
        _device = device;
        _start = start;
    }

    /// <summary>Reads tags.</summary>
    /// <param name="at">Where they start, in bytes from the first tag of the device.</param>
    /// <param name="tags">Filled.</param>
    public BioStatus Read(ulong at, Span<byte> tags)
    {
        while (!tags.IsEmpty)
        {
            Span<byte> part = Find(at, tags.Length, willFill: false, out int place, out BioStatus status);
            if (place < 0)
            {
                return status;
            }

            part.CopyTo(tags);
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
            Span<byte> part = Find(at, tags.Length, willFill: true, out int place, out BioStatus status);
            if (place < 0)
            {
                return status;
            }

            tags[..part.Length].CopyTo(part);
            _cache[place].Dirty = true;
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

    /// <summary>The part of a run of bytes that lies in one block.</summary>
    private Span<byte> Find(ulong at, int length, bool willFill, out int place, out BioStatus status)
    {
        ulong block = at / BlockSize;
        int skip = (int)(at % BlockSize);
        int count = Math.Min(length, BlockSize - skip);
        status = BioStatus.Ok;
        if (!_places.TryGetValue(block, out place))
        {
            status = Load(block, willFill && count == BlockSize, out place);
            if (status != BioStatus.Ok)
            {
                place = -1;
                return default;
            }
        }

        _cache[place].Used = true;
        return _cache[place].Memory.Span.Slice(skip, count);
    }

    private BioStatus Load(ulong block, bool willFill, out int place)
    {
        place = _cache.Count;
        if (place < Capacity)
        {
            _cache.Add(new Place { Memory = BufferPool.Rent(BlockSize) });
        }
        else
        {
            place = Choose();
            BioStatus written = WriteBack(_cache[place]);
            if (written != BioStatus.Ok)
            {
                return written;
            }
        }

        Place free = _cache[place];
        if (free.Block is { } before)
        {
            _places.Remove(before);
        }

        free.Block = null;
        BioStatus status = willFill ? BioStatus.Ok : BlockingIo.Read(_device.Device, PlaceOf(block), new BioBuffer(free.Memory.Address, BlockSize));
        if (status == BioStatus.Ok)
        {
            free.Block = block;
            _places.Add(block, place);
        }

        return status;
    }

    private int Choose()
    {
        while (true)
        {
            _hand = (_hand + 1) % Capacity;
            Place place = _cache[_hand];
            if (!place.Used)
            {
                return _hand;
            }

            place.Used = false;
        }
    }

    private BioStatus WriteBack(Place place)
    {
        if (!place.Dirty)
        {
            return BioStatus.Ok;
        }

        BioStatus status = BlockingIo.Write(_device.Device, PlaceOf(place.Block!.Value), new BioBuffer(place.Memory.Address, BlockSize));
        place.Dirty = status != BioStatus.Ok;
        return status;
    }

    private Sector PlaceOf(ulong block) => _start + SectorCount.FromBytes(block * BlockSize);

    private sealed class Place
    {
        public required BufferSegment Memory { get; init; }

        public ulong? Block { get; set; } // null where it holds none

        public bool Dirty { get; set; }

        public bool Used { get; set; }
    }
}
