using System.Text;
using DeviceMapper.Io;

namespace DeviceMapper.Targets.Multipath;

/// <summary>
/// The path that will be done first, judged by the sectors on it and its throughput: <c>service-time</c>, a path's words
/// <c>[&lt;repeat count&gt; [&lt;relative throughput&gt;]]</c> (drivers/md/dm-ps-service-time.c).
/// </summary>
/// <remarks>The throughput, 0 to 100, only counts against that of other paths. One of 0 is used when there is none with more.</remarks>
internal sealed class ServiceTimeSelector : LoadSelector
{
    private const uint MostThroughput = 100;

    private readonly List<uint> _repeatCounts = [];
    private long[] _throughputs = []; // by the path's index

    /// <inheritdoc/>
    public override string Name => "service-time";

    /// <inheritdoc/>
    public override int TableWords => 2;

    /// <inheritdoc/>
    public override int StatusWords => 2;

    /// <inheritdoc/>
    public override void Add(MultipathPath path, ArgumentRange words)
    {
        words.Expect("a path of service-time", 0, 2);
        _repeatCounts.Add(RepeatCount(words));
        _throughputs = [.. _throughputs, words.Count < 2 ? 1 : words.Number(1, "relative throughput", MostThroughput)];
        base.Add(path, words);
    }

    /// <inheritdoc/>
    public override void AppendTable(StringBuilder text, MultipathPath path) =>
        text.Append($"{_repeatCounts[path.Index]} {_throughputs[path.Index]} ");

    /// <inheritdoc/>
    public override void AppendStatus(StringBuilder text, MultipathPath path) =>
        text.Append($"{Volatile.Read(ref path.InFlightSectors) << Sector.Shift} {_throughputs[path.Index]} ");

    /// <inheritdoc/>
    protected override MultipathPath Best(MultipathPath[] good, SectorCount incoming)
    {
        MultipathPath best = good[0];
        for (int i = 1; i < good.Length; i++)
        {
            long difference = Compare(good[i], best, (long)incoming.Value);
            if (difference < 0 || (difference == 0 && good[i].LastUsed < best.LastUsed))
            {
                best = good[i];
            }
        }

        return best;
    }

    /// <summary>Negative where the first is better. Times are compared as sectors × the other's throughput, which saves the division.</summary>
    private long Compare(MultipathPath a, MultipathPath b, long incoming)
    {
        long sectorsA = a.InFlightSectors;
        long sectorsB = b.InFlightSectors;
        long throughputA = _throughputs[a.Index];
        long throughputB = _throughputs[b.Index];
        if (throughputA == throughputB)
        {
            return sectorsA - sectorsB;
        }

        if (sectorsA != sectorsB && throughputA != 0 && throughputB != 0)
        {
            long difference = ((sectorsA + incoming) * throughputB) - ((sectorsB + incoming) * throughputA);
            if (difference != 0)
            {
                return difference;
            }
        }

        return throughputB - throughputA;
    }
}
