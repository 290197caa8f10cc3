using DeviceMapper.Native;

namespace DeviceMapper.Mapping.Statistics;

/// <summary>The statistics of one mapped device: its regions, and how I/O finds them.</summary>
internal sealed class DeviceStatistics
{
    private static long _memory; // bytes of all regions of the process

    private readonly StatisticsClock _clock;
    private readonly LastIo _last = new();
    private readonly Lock _lock = new(); // guards changes of the regions
    private volatile StatisticsSnapshot? _snapshot;

    /// <summary>No regions.</summary>
    public DeviceStatistics(TimeProvider time) => _clock = new StatisticsClock(time);

    /// <summary>The regions; null without any, so that I/O pays one look.</summary>
    public StatisticsSnapshot? Snapshot => _snapshot;

    /// <summary>The regions, by number.</summary>
    public IReadOnlyList<StatisticsRegion> Regions => _snapshot?.Regions ?? [];

    /// <summary>Makes a region.</summary>
    /// <returns>Its number: the lowest that is free.</returns>
    /// <exception cref="DmException">EOVERFLOW: too many areas or histogram cells. ENOMEM: more memory than a quarter of the machine's.</exception>
    public int Create(StatisticsOptions options)
    {
        if (options.Areas > StatisticsRegion.MostAreas)
        {
            throw new DmException(Errno.EOVERFLOW, $"a region has at most {StatisticsRegion.MostAreas} areas, not {options.Areas}");
        }

        if ((ulong)(options.Boundaries.Count + 1) * options.Areas > StatisticsRegion.MostHistogramCells)
        {
            throw new DmException(Errno.EOVERFLOW, $"the histograms of a region have at most {StatisticsRegion.MostHistogramCells} cells");
        }

        Reserve((long)StatisticsRegion.MemoryOf(options));
        lock (_lock)
        {
            List<StatisticsRegion> regions = [.. Regions];
            int id = 0;
            while (id < regions.Count && regions[id].Id == id)
            {
                id++;
            }

            regions.Insert(id, new StatisticsRegion(id, options, Now(options.Precise)));
            _snapshot = new StatisticsSnapshot([.. regions], _clock, _last);
            return id;
        }
    }

    /// <summary>Removes a region.</summary>
    /// <exception cref="DmException">ENOENT.</exception>
    public void Delete(int id)
    {
        lock (_lock)
        {
            StatisticsRegion region = Find(id);
            StatisticsRegion[] left = [.. Regions.Where(r => r != region)];
            _snapshot = left.Length == 0 ? null : new StatisticsSnapshot(left, _clock, _last);
            Interlocked.Add(ref _memory, -(long)StatisticsRegion.MemoryOf(region.Options));
        }
    }

    /// <summary>Gives back what the regions took; the device goes.</summary>
    public void DeleteAll()
    {
        foreach (StatisticsRegion region in Regions)
        {
            Delete(region.Id);
        }
    }

    /// <summary>A region.</summary>
    /// <exception cref="DmException">ENOENT.</exception>
    public StatisticsRegion Find(int id) =>
        Regions.FirstOrDefault(r => r.Id == id) ?? throw new DmException(Errno.ENOENT, $"there is no region {id}");

    /// <summary>The time in a region's unit.</summary>
    public long Now(bool precise) => _clock.Now(precise);

    private static void Reserve(long bytes)
    {
        long limit = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4;
        if (Interlocked.Add(ref _memory, bytes) > limit)
        {
            Interlocked.Add(ref _memory, -bytes);
            throw new DmException(Errno.ENOMEM, $"the region would take {bytes} bytes; all regions together may take {limit}");
        }
    }
}
