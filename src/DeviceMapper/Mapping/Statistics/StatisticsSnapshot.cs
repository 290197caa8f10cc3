using DeviceMapper.Io;

namespace DeviceMapper.Mapping.Statistics;

/// <summary>
/// The regions of a device at one moment. A bio keeps the one that it began with until it ends, so a region counts all of a bio or
/// nothing of it.
/// </summary>
internal sealed class StatisticsSnapshot
{
    private const long NanosecondsInMillisecond = 1_000_000;

    private readonly StatisticsClock _clock;
    private readonly LastIo _last;
    private readonly bool _precise; // some region wants nanoseconds: then bios keep these

    /// <summary>The regions from now on.</summary>
    /// <param name="regions">By number.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="last">Of the device.</param>
    public StatisticsSnapshot(StatisticsRegion[] regions, StatisticsClock clock, LastIo last)
    {
        Regions = regions;
        _clock = clock;
        _last = last;
        _precise = regions.Any(r => r.Options.Precise);
    }

    /// <summary>By number.</summary>
    public StatisticsRegion[] Regions { get; }

    /// <summary>A bio is about to be mapped.</summary>
    public void Begin(Bio bio, Table table, BioThread thread)
    {
        bio.Statistics = this;
        bio.StatisticsStart = _clock.Now(_precise);
        bio.StatisticsMerged = IsMerged(bio);
        foreach (StatisticsRegion region in Regions)
        {
            long now = Unit(region, bio.StatisticsStart);
            ForPieces(bio, table, thread, region, static (r, t, w, from, to, m) => r.Begin(t, w, from, to, m.Now), new Mark(now, 0, false));
        }
    }

    /// <summary>It has ended.</summary>
    /// <param name="bio">The bio.</param>
    /// <param name="table">The table that mapped it.</param>
    /// <param name="thread">This thread.</param>
    /// <param name="counts">Whether it counts: not where it was not mapped, or goes back to a queue.</param>
    public void End(Bio bio, Table table, BioThread thread, bool counts)
    {
        long ended = _clock.Now(_precise);
        bio.Statistics = null;
        foreach (StatisticsRegion region in Regions)
        {
            Mark mark = new(Unit(region, ended), Unit(region, ended - bio.StatisticsStart), bio.StatisticsMerged);
            if (!counts)
            {
                ForPieces(bio, table, thread, region, static (r, t, w, from, to, m) => r.Abandon(t, w, from, to, m.Now), mark);
            }
            else
            {
                ForPieces(bio, table, thread, region, static (r, t, w, from, to, m) => r.End(t, w, from, to, m.Now, m.Duration, m.Merged), mark);
            }
        }
    }

    private long Unit(StatisticsRegion region, long time) => _precise && !region.Options.Precise ? time / NanosecondsInMillisecond : time;

    /// <summary>Whether it counts as merged: it begins where the last I/O of the same direction ended.</summary>
    private bool IsMerged(Bio bio)
    {
        bool write = bio.Operation != BioOperation.Read;
        return _last.Exchange(bio.EndSector.Value, write) == (bio.Sector.Value, write);
    }

    /// <summary>The kernel counts each piece of a bio that is cut as an I/O of its own, merged with the one before.</summary>
    private static void ForPieces(Bio bio, Table table, BioThread thread, StatisticsRegion region, PieceAction action, Mark mark)
    {
        Sector at = bio.Sector;
        SectorCount left = bio.Count;
        while (left != SectorCount.Zero)
        {
            SectorCount length = SectorCount.Min(left, table.PieceAt(bio.Operation, at, thread));
            action(region, thread, bio.Operation != BioOperation.Read, at.Value, (at + length).Value, mark);
            at += length;
            left -= length;
            mark = mark with { Merged = true }; // each piece begins where the one before ends
        }
    }

    private delegate void PieceAction(StatisticsRegion region, BioThread thread, bool write, ulong from, ulong to, Mark mark);

    private readonly record struct Mark(long Now, long Duration, bool Merged);
}

/// <summary>Where the last I/O of a device ended, and its direction. Threads overwrite each other's: only figures of merges come of it.</summary>
internal sealed class LastIo
{
    private long _encoded = -1; // the end, shifted by one bit for the direction

    /// <summary>Takes another I/O.</summary>
    /// <returns>The one before.</returns>
    public (ulong EndSector, bool Write) Exchange(ulong endSector, bool write)
    {
        long before = Volatile.Read(ref _encoded);
        Volatile.Write(ref _encoded, (long)((endSector << 1) | (write ? 1UL : 0)));
        return ((ulong)before >> 1, (before & 1) != 0);
    }
}
