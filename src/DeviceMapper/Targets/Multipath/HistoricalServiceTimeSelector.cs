using System.Runtime.CompilerServices;
using System.Text;
using DeviceMapper.Io;

namespace DeviceMapper.Targets.Multipath;

/// <summary>
/// The path that is expected to be done first, by how long its I/Os took: <c>historical-service-time</c>, its words
/// <c>[&lt;base weight&gt; [&lt;threshold multiplier&gt;]]</c>, a path's <c>[&lt;repeat count&gt;]</c>
/// (drivers/md/dm-ps-historical-service-time.c).
/// </summary>
/// <remarks>
/// Times are moving averages, in nanoseconds with 10 binary places. The weight of the past, the base weight of 1024, is the smaller
/// the longer the I/O took. A path whose average has not been renewed for long is stale: without I/O it gets one, as a probe; with I/O it gets no more
/// than others. Paths whose times differ by less than the threshold's factor are compared by their number of I/Os.
/// </remarks>
internal sealed class HistoricalServiceTimeSelector : LoadSelector
{
    private const int Shift = 10; // binary places
    private const ulong One = 1 << Shift;
    private const ulong MostFixed = ulong.MaxValue >> Shift;
    private const uint DefaultWeight = 972; // 0.95
    private const int BucketShift = 24; // a bucket of weights is some 17 ms wide
    private const int Buckets = 64;

    private readonly ulong[] _weights = new ulong[Buckets]; // of the past, for an I/O that took so many buckets of time
    private readonly uint _threshold;
    private ulong _now; // when the last I/O ended: near enough to say what is stale, and free

    /// <summary>Takes weight and threshold.</summary>
    public HistoricalServiceTimeSelector(ArgumentRange words)
    {
        words.Expect("the selector historical-service-time", 0, 2);
        uint weight = words.Count > 0 ? words.Number(0, "base weight", (uint)One - 1) : DefaultWeight;
        _threshold = words.Count > 1 ? words.Number(1, "threshold multiplier") : 0;
        for (int i = 0; i < Buckets - 1; i++)
        {
            _weights[i] = Power(weight, i + 1);
        }
    }

    /// <inheritdoc/>
    public override string Name => "historical-service-time";

    /// <inheritdoc/>
    public override int TableWords => 1;

    /// <inheritdoc/>
    public override int StatusWords => 3;

    /// <inheritdoc/>
    public override bool NeedsTimes => true;

    /// <inheritdoc/>
    public override void Add(MultipathPath path, ArgumentRange words)
    {
        words.Expect("a path of historical-service-time", 0, 1);
        _ = RepeatCount(words);
        path.ServiceTime = One;
        base.Add(path, words);
    }

    /// <inheritdoc/>
    public override void Timed(MultipathPath path, ulong start, ulong end)
    {
        Volatile.Write(ref _now, end);
        SpinWait spin = default;
        while (Interlocked.Exchange(ref path.IsTiming, true))
        {
            spin.SpinOnce(); // some nanoseconds: a lock object costs more than all the rest
        }

        // Where an earlier I/O ended after this one was sent, it counts as if it had been sent then: one after the other.
        ulong begin = Math.Max(path.LastEnd, start);
        ulong took = end > begin ? end - begin : 0;
        path.LastEnd = end;
        ulong weight = _weights[Math.Min(took >> BucketShift, Buckets - 1)];
        ulong time = Average(path.ServiceTime, took > MostFixed >> Shift ? MostFixed : took * One, weight);
        Volatile.Write(ref path.ServiceTime, time);
        Volatile.Write(ref path.StaleAfter, end + ((ulong)GoodPaths * (time >> Shift)));
        Volatile.Write(ref path.IsTiming, false);
    }

    /// <inheritdoc/>
    public override void AppendSelf(StringBuilder text) => text.Append($"2 {_weights[0]} {_threshold} ");

    /// <summary>The kernel prints 0 whatever the repeat count was.</summary>
    public override void AppendTable(StringBuilder text, MultipathPath path) => text.Append("0 ");

    /// <inheritdoc/>
    public override void AppendStatus(StringBuilder text, MultipathPath path) =>
        text.Append($"{Volatile.Read(ref path.ServiceTime)} {path.InFlight} {Volatile.Read(ref path.StaleAfter)} ");

    /// <inheritdoc/>
    protected override MultipathPath Best(MultipathPath[] good, SectorCount incoming)
    {
        MultipathPath best = good[0];
        if (good.Length == 1)
        {
            return best;
        }

        long now = (long)Volatile.Read(ref _now);
        Load least = new(best);
        for (int i = 1; i < good.Length; i++)
        {
            MultipathPath path = good[i];
            Load load = new(path);
            long difference = Compare(load, least, now);
            if (difference < 0 || (difference == 0 && path.LastUsed < best.LastUsed))
            {
                (best, least) = (path, load);
            }
        }

        return best;
    }

    /// <summary>Negative where the first is better.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private long Compare(in Load a, in Load b, long now)
    {
        (ulong timeA, ulong timeB) = (a.Time, b.Time);
        (long onA, long onB) = (a.InFlight, b.InFlight);
        if (AreNear(timeA, timeB))
        {
            return onA - onB;
        }

        (long staleA, long staleB) = (a.StaleAfter, b.StaleAfter);
        if ((onA | onB) == 0)
        {
            return staleA - staleB;
        }

        if ((onA == 0 && staleA < now) || (onB == 0 && staleB < now))
        {
            return (onB == 0 ? staleA : 0) - (onA == 0 ? staleB : 0); // a probe of the one that is stale, or longer stale
        }

        if (Math.Max(onA, onB) >= (long)One)
        {
            (timeA, timeB) = (timeA >> Shift, timeB >> Shift); // would overflow else
        }

        bool betterB = unchecked(((1 + (ulong)onA) * timeA) > ((1 + (ulong)onB) * timeB));
        return (betterB ? staleB : staleA) < now ? onA - onB : betterB ? 1 : -1;
    }

    /// <summary>Whether two times differ by less than the threshold's factor. Without one, a search among many paths is done in half the time.</summary>
    private bool AreNear(ulong a, ulong b) => _threshold == 0 ? (a | b) == 0 : Math.Max(a, b) <= unchecked(_threshold * Math.Min(a, b));

    private static ulong Average(ulong past, ulong next, ulong weight) =>
        unchecked((past * weight) + (next * (One - weight)) + (One / 2)) >> Shift;

    /// <summary>A fixed-point number to a power, rounded at each step as in the kernel.</summary>
    private static ulong Power(ulong number, int exponent)
    {
        ulong result = One;
        for (; exponent > 0; exponent >>= 1)
        {
            if ((exponent & 1) != 0)
            {
                result = ((result * number) + (One / 2)) >> Shift;
            }

            number = ((number * number) + (One / 2)) >> Shift;
        }

        return result;
    }

    /// <summary>A path's state, read once a choice.</summary>
    private readonly struct Load(MultipathPath path)
    {
        public readonly ulong Time = path.ServiceTime;
        public readonly long StaleAfter = (long)path.StaleAfter;
        public readonly long InFlight = path.InFlight;
    }
}
