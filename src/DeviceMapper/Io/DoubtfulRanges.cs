namespace DeviceMapper.Io;

/// <summary>
/// Ranges of a device that hold writes in doubt: they were given up on one way to the device and sent again on another, but the first copy may
/// still lie with the far side (in the socket of a server that has been stopped) and be applied at any time.
/// </summary>
/// <remarks>
/// The copy that was sent again carries the same bytes, so it may go out at once. A later write to the same sectors must wait until the doubt
/// is over, or the old copy could undo it. Reads need not wait. Memory is bounded: a carrier with too many ranges is in doubt for
/// everything between its first and its last sector.
/// </remarks>
public sealed class DoubtfulRanges
{
    private const int MostRanges = 1024;

    private readonly Lock _lock = new();
    private readonly List<DoubtfulRange> _ranges = [];
    private volatile int _count;

    /// <summary>Some are in doubt no more. Raised on any thread, with no lock held.</summary>
    public event Action? Freed;

    /// <summary>Whether there is none; free of locks, since it is asked for each write.</summary>
    public bool IsEmpty => _count == 0;

    /// <summary>All of them.</summary>
    public IReadOnlyList<DoubtfulRange> Snapshot()
    {
        lock (_lock)
        {
            return [.. _ranges];
        }
    }

    /// <summary>Adds a write that was given up.</summary>
    /// <param name="carrier">What may still carry it out.</param>
    /// <param name="start">Its first sector.</param>
    /// <param name="count">Its sectors.</param>
    /// <returns>Whether it is the carrier's only range: then somebody has to see to its end.</returns>
    public bool Add(object carrier, Sector start, SectorCount count)
    {
        lock (_lock)
        {
            DoubtfulRange range = new(carrier, start, start + count);
            int touching = _ranges.FindIndex(r => r.Carrier == carrier && r.Start <= range.End && range.Start <= r.End);
            if (touching >= 0)
            {
                _ranges[touching] = _ranges[touching].Join(range);
            }
            else
            {
                _ranges.Add(range);
                if (_ranges.Count > MostRanges)
                {
                    JoinAll(carrier);
                }
            }

            _count = _ranges.Count;
            return _ranges.Count(r => r.Carrier == carrier) == 1;
        }
    }

    /// <summary>Whether any of some sectors is in doubt.</summary>
    public bool Overlaps(Sector start, SectorCount count)
    {
        if (IsEmpty)
        {
            return false;
        }

        lock (_lock)
        {
            return _ranges.Exists(r => r.Start < start + count && start < r.End);
        }
    }

    /// <summary>A carrier can no longer carry anything out: it has answered all it had, or its end is certain.</summary>
    /// <param name="carrier">Which.</param>
    /// <param name="isOver">Whether that is so; asked where no range can be added meanwhile.</param>
    /// <returns>How many ranges this frees.</returns>
    public int Settle(object carrier, Func<bool>? isOver = null)
    {
        int freed;
        lock (_lock)
        {
            freed = isOver is null || isOver() ? _ranges.RemoveAll(r => r.Carrier == carrier) : 0;
            _count = _ranges.Count;
        }

        if (freed > 0)
        {
            Freed?.Invoke();
        }

        return freed;
    }

    private void JoinAll(object carrier)
    {
        DoubtfulRange all = _ranges.Where(r => r.Carrier == carrier).Aggregate((a, b) => a.Join(b));
        _ranges.RemoveAll(r => r.Carrier == carrier);
        _ranges.Add(all);
    }
}

/// <summary>A range in doubt.</summary>
/// <param name="Carrier">What may still write there.</param>
/// <param name="Start">Its first sector.</param>
/// <param name="End">The sector after its last.</param>
public readonly record struct DoubtfulRange(object Carrier, Sector Start, Sector End)
{
    /// <summary>The range from the first to the last of two.</summary>
    internal DoubtfulRange Join(DoubtfulRange other) => this with
    {
        Start = Start < other.Start ? Start : other.Start,
        End = End > other.End ? End : other.End,
    };
}
