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
    private readonly bool _precise; // some region wants nanoseconds: then bios keep these

    /// <summary>The regions from now on.</summary>
    /// <param name="regions">By number.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="last">What the snapshot before it kept of the last I/O.</param>
    public StatisticsSnapshot(StatisticsRegion[] regions, StatisticsClock clock, LastIo[]? last)
    {
        Regions = regions;
        _clock = clock;
        _precise = regions.Any(r => r.Options.Precise);
        Last = last ?? new LastIo[BioThread.SlotCount];
        if (last is null)
        {
            Array.Fill(Last, new LastIo(ulong.MaxValue, null));
        }
    }

    /// <summary>By number.</summary>
    public StatisticsRegion[] Regions { get; }

    /// <summary>For each thread, where its last I/O ended.</summary>
    public LastIo[] Last { get; }

    /// <summary>A bio is about to be mapped.</summary>
    public void Begin(Bio bio, Table table, BioThread thread)
    {
        bio.Statistics = this;
        bio.StatisticsStart = _clock.Now(_precise);
        bio.StatisticsMerged = IsMerged(bio, thread);
        foreach (StatisticsRegion region in Regions)
        {
            long now = Unit(region, bio.StatisticsStart);
            ForPieces(bio, table, thread, region, static (r, t, w, from, to, m) => r.Begin(t, w, from, to, m.Now), new Mark(now, 0, false));
        }
    }

    /// <summary>It has ended, or goes back to a queue.</summary>
    public void End(Bio bio, Table table, BioThread thread, bool requeued)
    {
        long ended = _clock.Now(_precise);
        bio.Statistics = null;
        foreach (StatisticsRegion region in Regions)
        {
            Mark mark = new(Unit(region, ended), Unit(region, ended - bio.StatisticsStart), bio.StatisticsMerged);
            if (requeued)
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

    /// <summary>
    /// Whether the kernel counts it as merged. What it compares the sector with is not where the last I/O ended but whether there was one in the
    /// same direction: so only I/O at sectors 0 and 1 ever is.
    /// </summary>
    private bool IsMerged(Bio bio, BioThread thread)
    {
        ref LastIo last = ref Last[thread.Slot];
        bool write = bio.Operation != BioOperation.Read;
        ulong compared = last.EndSector != 0 && write == (last.Write == true) ? 1UL : 0;
        last = new LastIo(bio.EndSector.Value, write);
        return bio.Sector.Value == compared;
    }

    /// <summary>The kernel counts each piece of a bio that is cut as an I/O of its own.</summary>
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
            mark = mark with { Merged = false };
        }
    }

    private delegate void PieceAction(StatisticsRegion region, BioThread thread, bool write, ulong from, ulong to, Mark mark);

    private readonly record struct Mark(long Now, long Duration, bool Merged);

    /// <summary>The end and direction of an I/O.</summary>
    public readonly record struct LastIo(ulong EndSector, bool? Write);
}
