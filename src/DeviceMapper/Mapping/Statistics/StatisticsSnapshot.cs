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

    /// <summary>A bio, or a piece of one, is about to be mapped.</summary>
    /// <param name="io">What is to be known of it later.</param>
    /// <param name="bio">The bio, or the clone that is the piece.</param>
    /// <param name="thread">This thread.</param>
    public void Begin(ref CountedIo io, Bio bio, BioThread thread)
    {
        io.Regions = this;
        io.From = bio.Sector.Value;
        io.To = bio.EndSector.Value;
        io.Direction = bio.Operation != BioOperation.Read ? 1 : 0;
        io.Start = _clock.Now(_precise);
        io.Before = _last.Follow(io);
        foreach (StatisticsRegion region in Regions)
        {
            if (_precise || !region.TryBegin(thread, io, io.Start))
            {
                Count(region, io, thread, new Moment(Unit(region, io.Start), MomentKind.Begin, 0, false));
            }
        }
    }

    /// <summary>It has ended.</summary>
    /// <param name="io">What is known of it.</param>
    /// <param name="thread">This thread.</param>
    /// <param name="counts">Whether it counts: not where it goes back to a queue.</param>
    public void End(ref CountedIo io, BioThread thread, bool counts)
    {
        long ended = _clock.Now(_precise);
        io.Regions = null;
        foreach (StatisticsRegion region in Regions)
        {
            if (_precise || !counts || !region.TryEnd(thread, io, ended))
            {
                Count(region, io, thread, Ended(region, io, ended, counts));
            }
        }
    }

    /// <summary>No target has mapped it: as in the kernel, it is not counted at all.</summary>
    public void Forget(ref CountedIo io, BioThread thread)
    {
        End(ref io, thread, counts: false);
        _last.Forget(io);
    }

    /// <summary>A flush has no sectors that could be counted, but is the last I/O.</summary>
    public void Pass(Bio flush) => _last.Follow(new CountedIo { To = flush.EndSector.Value, Direction = 1 });

    private Moment Ended(StatisticsRegion region, in CountedIo io, long ended, bool counts) =>
        new(Unit(region, ended), counts ? MomentKind.End : MomentKind.Abandon, Unit(region, ended - io.Start), io.IsMerged);

    private long Unit(StatisticsRegion region, long time) => _precise && !region.Options.Precise ? time / NanosecondsInMillisecond : time;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Count(StatisticsRegion region, in CountedIo io, BioThread thread, in Moment moment) =>
        region.Count(thread, io.Direction, io.From, io.To, moment);
}
