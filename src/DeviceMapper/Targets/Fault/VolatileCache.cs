using DeviceMapper.Io;

namespace DeviceMapper.Targets.Fault;

/// <summary>
/// The volatile write cache of a disk: writes end when they are in it, reads see it, a flush makes durable all that was in it when the flush
/// came, and a write with FUA its own sectors. What is not durable is lost when the power goes.
/// </summary>
/// <remarks>
/// What goes to the device below goes in jobs, one at a time, so that a sector's older content never goes over its newer one. When the cache is full
/// the oldest writes go.
/// </remarks>
internal sealed class VolatileCache
{
    private readonly Func<BlockDevice> _device;
    private readonly ulong _capacity; // bytes
    private readonly Lock _lock = new(); // guards all below
    private readonly List<CachedWrite> _writes = []; // not durable, in the order of completion
    private readonly Dictionary<ulong, CachedWrite> _latest = []; // of each sector
    private readonly Dictionary<ulong, long> _durable = []; // sectors that are durable in the content of this write, while older writes are cached
    private readonly Queue<Job> _jobs = new();
    private ulong _bytes;
    private long _number;
    private bool _working;
    private bool _evicting;

    /// <summary>An empty cache.</summary>
    /// <param name="device">The device below, asked for each time.</param>
    /// <param name="capacity">Its size.</param>
    public VolatileCache(Func<BlockDevice> device, SectorCount capacity)
    {
        _device = device;
        _capacity = capacity.Bytes;
    }

    /// <summary>How many sectors are not durable.</summary>
    public int DirtySectors
    {
        get
        {
            lock (_lock)
            {
                return _latest.Count;
            }
        }
    }

    /// <summary>Takes a write. Its memory is the caller's again.</summary>
    public CachedWrite Write(ulong sector, BioBuffer data)
    {
        bool evict;
        CachedWrite write;
        lock (_lock)
        {
            write = new CachedWrite(_number++, sector, data);
            _writes.Add(write);
            for (ulong i = 0; i < write.Count; i++)
            {
                _latest[sector + i] = write;
            }

            _bytes += (ulong)data.Length;
            evict = _bytes > _capacity && !_evicting;
            if (evict)
            {
                _evicting = true;
                _jobs.Enqueue(new Job(NumberThatLeaves(_capacity / 2), null, false, _ => { }));
            }
        }

        if (evict)
        {
            Work();
        }

        return write;
    }

    /// <summary>What there is of some sectors; null if nothing is.</summary>
    public CachedRead? Find(ulong sector, ulong count)
    {
        lock (_lock)
        {
            CachedWrite?[]? found = null;
            for (ulong i = 0; i < count && _latest.Count > 0; i++)
            {
                if (_latest.TryGetValue(sector + i, out CachedWrite? write))
                {
                    found ??= new CachedWrite?[count];
                    found[i] = write;
                }
            }

            return found is null ? null : new CachedRead(sector, found);
        }
    }

    /// <summary>Makes durable all that is in it now, and calls back.</summary>
    public void Flush(Action<BioStatus> done) => Add(write: null, flush: true, done);

    /// <summary>Makes one write durable, and calls back.</summary>
    public void WriteThrough(CachedWrite write, Action<BioStatus> done) => Add(write, flush: false, done);

    /// <summary>The power goes: empties it.</summary>
    /// <returns>The writes that were not durable, in the order of completion, and a question: is this sector durable in a later write's content?</returns>
    public (IReadOnlyList<CachedWrite> Writes, Func<ulong, CachedWrite, bool> IsSuperseded) Lose()
    {
        lock (_lock)
        {
            CachedWrite[] writes = [.. _writes];
            Dictionary<ulong, long> durable = new(_durable);
            _writes.Clear();
            _latest.Clear();
            _durable.Clear();
            _bytes = 0;
            return (writes, (sector, write) => durable.TryGetValue(sector, out long number) && number > write.Number);
        }
    }

    private void Add(CachedWrite? write, bool flush, Action<BioStatus> done)
    {
        lock (_lock)
        {
            _jobs.Enqueue(new Job(_number, write, flush, done));
        }

        Work();
    }

    /// <summary>The number up to which writes must go so that no more than some bytes stay.</summary>
    private long NumberThatLeaves(ulong bytes)
    {
        ulong left = _bytes;
        foreach (CachedWrite write in _writes)
        {
            left -= write.Count * Sector.Size;
            if (left <= bytes)
            {
                return write.Number + 1;
            }
        }

        return _number;
    }

    /// <summary>Begins the next job, if none is under way.</summary>
    private void Work()
    {
        Job? job;
        CachedWrite[] writes;
        IReadOnlyList<SectorRun> runs;
        lock (_lock)
        {
            if (_working || !_jobs.TryDequeue(out job))
            {
                return;
            }

            _working = true;
            writes = job.Only is { } only ? [only] : [.. _writes.TakeWhile(w => w.Number < job.Before)];
            runs = Contents(writes).ToRuns();
        }

        RunWriter.Write(_device(), runs, job.Only is null ? BioFlags.None : BioFlags.Fua, status =>
        {
            if (status == BioStatus.Ok && job.Flush)
            {
                RunWriter.Flush(_device(), flushed => EndJob(job, writes, flushed));
            }
            else
            {
                EndJob(job, writes, status);
            }
        });
    }

    private SectorContents Contents(CachedWrite[] writes)
    {
        SectorContents contents = new();
        foreach (CachedWrite write in writes)
        {
            for (ulong sector = write.Sector; sector < write.Sector + write.Count; sector++)
            {
                if (!_durable.TryGetValue(sector, out long number) || number < write.Number)
                {
                    contents.Set(sector, write);
                }
            }
        }

        return contents;
    }

    private void EndJob(Job job, CachedWrite[] writes, BioStatus status)
    {
        lock (_lock)
        {
            if (status == BioStatus.Ok)
            {
                Forget(writes, job.Only is not null);
            }

            _evicting &= job.Flush || job.Only is not null;
            _working = false;
        }

        job.Done(status);
        Work();
    }

    /// <summary>These writes are durable.</summary>
    private void Forget(CachedWrite[] writes, bool beforeOlderOnes)
    {
        HashSet<CachedWrite> gone = [.. writes];
        if (_writes.RemoveAll(gone.Contains) == 0)
        {
            return; // the power went meanwhile
        }

        foreach (CachedWrite write in writes)
        {
            _bytes -= write.Count * Sector.Size;
            for (ulong sector = write.Sector; sector < write.Sector + write.Count; sector++)
            {
                if (_latest.TryGetValue(sector, out CachedWrite? latest) && latest == write)
                {
                    _latest.Remove(sector);
                }

                if (beforeOlderOnes)
                {
                    _durable[sector] = Math.Max(write.Number, _durable.GetValueOrDefault(sector, -1));
                }
            }
        }

        if (_writes.Count == 0)
        {
            _durable.Clear();
        }
    }

    /// <summary>Writes to make durable: those before a number, or only one.</summary>
    private sealed record Job(long Before, CachedWrite? Only, bool Flush, Action<BioStatus> Done);
}
