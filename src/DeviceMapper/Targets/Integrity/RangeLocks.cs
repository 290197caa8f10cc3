namespace DeviceMapper.Targets.Integrity;

/// <summary>
/// The runs of sectors that are at work: of two that overlap, one waits, so that data and tags of a block never go apart (the kernel's
/// <c>add_new_range</c>). Threads that may not wait only try; the one that may, the target's own, goes before those that come after it.
/// </summary>
internal sealed class RangeLocks
{
    private readonly Lock _lock = new();
    private Range[] _taken = new Range[64];
    private int _count;
    private Range _wanted; // by the target's thread; empty while it does not wait

    /// <summary>Takes a run, if none of its sectors is taken or waited for.</summary>
    public bool TryTake(ulong sector, ulong count)
    {
        Range range = new(sector, sector + count);
        lock (_lock)
        {
            if (range.Overlaps(_wanted) || IsTaken(range))
            {
                return false;
            }

            Add(range);
            return true;
        }
    }

    /// <summary>The same, for the target's thread: where it fails, <see cref="Release"/> tells that it is worth another try.</summary>
    public bool TryTakeInTurn(ulong sector, ulong count)
    {
        Range range = new(sector, sector + count);
        lock (_lock)
        {
            if (IsTaken(range))
            {
                _wanted = range;
                return false;
            }

            _wanted = default;
            Add(range);
            return true;
        }
    }

    /// <summary>Gives back the run that starts at a sector.</summary>
    /// <param name="sector">Its first.</param>
    /// <returns>Whether the target's thread waits for sectors of it.</returns>
    public bool Release(ulong sector)
    {
        lock (_lock)
        {
            int i = 0;
            while (_taken[i].Start != sector)
            {
                i++;
            }

            bool isWanted = _taken[i].Overlaps(_wanted);
            _taken[i] = _taken[--_count];
            return isWanted;
        }
    }

    private bool IsTaken(Range range)
    {
        foreach (ref readonly Range taken in _taken.AsSpan(0, _count))
        {
            if (taken.Overlaps(range))
            {
                return true;
            }
        }

        return false;
    }

    private void Add(Range range)
    {
        if (_count == _taken.Length)
        {
            Array.Resize(ref _taken, 2 * _count);
        }

        _taken[_count++] = range;
    }

    private readonly record struct Range(ulong Start, ulong End)
    {
        public bool Overlaps(Range other) => Start < other.End && other.Start < End;
    }
}
