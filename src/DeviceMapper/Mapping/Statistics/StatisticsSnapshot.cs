using System.Runtime.CompilerServices;
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
    /// <param name="bio">The bio.</param>
    /// <param name="whole">It has sectors, and is known not to be cut: the short way.</param>
    /// <param name="table">The table that maps it.</param>
    /// <param name="thread">This thread.</param>
    public void Begin(Bio bio, bool whole, Table table, BioThread thread)
    {
        bio.Statistics = this;
        bio.StatisticsStart = _clock.Now(_precise);
        bio.StatisticsMerged = _last.Follow(bio);
        bio.StatisticsWhole = whole;
        bool plain = whole && !_precise;
        foreach (StatisticsRegion region in Regions)
        {
            if (!plain || !region.TryBegin(thread, bio, bio.StatisticsStart))
            {
                Count(bio, table, thread, region, new Moment(Unit(region, bio.StatisticsStart), MomentKind.Begin, 0, false));
            }
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
        bool plain = bio.StatisticsWhole && !_precise && counts;
        foreach (StatisticsRegion region in Regions)
        {
            if (!plain || !region.TryEnd(thread, bio, ended))
            {
                Count(bio, table, thread, region, Ended(bio, region, ended, counts));
            }
        }
    }

    private Moment Ended(Bio bio, StatisticsRegion region, long ended, bool counts) =>
        new(Unit(region, ended), counts ? MomentKind.End : MomentKind.Abandon, Unit(region, ended - bio.StatisticsStart), bio.StatisticsMerged);

    private long Unit(StatisticsRegion region, long time) => _precise && !region.Options.Precise ? time / NanosecondsInMillisecond : time;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Count(Bio bio, Table table, BioThread thread, StatisticsRegion region, in Moment moment)
    {
        if (bio.StatisticsWhole)
        {
            region.Count(thread, bio.Operation != BioOperation.Read, bio.Sector.Value, bio.EndSector.Value, moment);
        }
        else
        {
            CountPieces(bio, table, thread, region, moment);
        }
    }

    /// <summary>The kernel counts each piece of a bio that is cut as an I/O of its own, merged with the one before.</summary>
    private static void CountPieces(Bio bio, Table table, BioThread thread, StatisticsRegion region, Moment moment)
    {
        Sector at = bio.Sector;
        SectorCount left = bio.Count;
        while (left != SectorCount.Zero)
        {
            SectorCount length = SectorCount.Min(left, table.PieceAt(bio.Operation, at, thread));
            region.Count(thread, bio.Operation != BioOperation.Read, at.Value, (at + length).Value, moment);
            at += length;
            left -= length;
            moment = moment with { Merged = true }; // each piece begins where the one before ends
        }
    }
}

/// <summary>Where the last I/O of a device ended, and its direction. Threads overwrite each other's: only figures of merges come of it.</summary>
internal sealed class LastIo
{
    private ulong _end = ulong.MaxValue; // a sector, shifted by one bit for the direction

    /// <summary>Takes another I/O.</summary>
    /// <returns>Whether it counts as merged: it begins where the last one of the same direction ended.</returns>
    public bool Follow(Bio bio)
    {
        ulong direction = bio.Operation != BioOperation.Read ? 1UL : 0;
        bool follows = Volatile.Read(ref _end) == ((bio.Sector.Value << 1) | direction);
        Volatile.Write(ref _end, (bio.EndSector.Value << 1) | direction);
        return follows;
    }
}
