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
        path.Throughput = words.Count < 2 ? 1 : words.Number(1, "relative throughput", MostThroughput);
        base.Add(path, words);
    }

    /// <inheritdoc/>
    public override void AppendTable(StringBuilder text, MultipathPath path) =>
        text.Append($"{_repeatCounts[path.Index]} {path.Throughput} ");

    /// <inheritdoc/>
    public override void AppendStatus(StringBuilder text, MultipathPath path) =>
        text.Append($"{path.InFlightSectors << Sector.Shift} {path.Throughput} ");

    /// <inheritdoc/>
    protected override MultipathPath Best(MultipathPath[] good, SectorCount incoming)
    {
        MultipathPath best = good[0];
        long least = best.InFlightSectors;
        for (int i = 1; i < good.Length; i++)
        {
            MultipathPath path = good[i];
            long sectors = path.InFlightSectors;
            long difference = path.Throughput == best.Throughput
                ? sectors - least
                : Compare(sectors, path.Throughput, least, best.Throughput, (long)incoming.Value);
            if (difference < 0 || (difference == 0 && path.LastUsed < best.LastUsed))
            {
                (best, least) = (path, sectors);
            }
        }

        return best;
    }

    /// <summary>Negative where the first is better. Times are compared as sectors × the other's throughput, which saves the division.</summary>
    private static long Compare(long sectorsA, long throughputA, long sectorsB, long throughputB, long incoming)
    {
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
