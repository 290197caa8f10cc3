using System.Globalization;

namespace Udm.Statistics;

/// <summary>The counters of an area, in the order in which <c>@stats_print</c> prints them; times in nanoseconds.</summary>
internal enum Counter
{
    Reads,
    ReadsMerged,
    ReadSectors,
    ReadTime,
    Writes,
    WritesMerged,
    WriteSectors,
    WriteTime,
    InProgress,
    BusyTime,
    QueueTime,
    ReadBusyTime,
    WriteBusyTime,
}

/// <summary>What was counted in an area.</summary>
/// <param name="counters">By <see cref="Counter"/>.</param>
/// <param name="histogram">How many I/Os each bin has; empty without a histogram.</param>
internal readonly struct AreaCounters(ulong[] counters, ulong[] histogram)
{
    private const int Count = (int)Counter.WriteBusyTime + 1;

    /// <summary>A counter.</summary>
    public ulong this[Counter counter] => counters[(int)counter];

    /// <summary>How many I/Os each bin has.</summary>
    public IReadOnlyList<ulong> Histogram => histogram;

    /// <summary>Reads a line of <c>@stats_print</c>: <c>START+LENGTH COUNTER... [BIN:BIN...]</c>.</summary>
    /// <param name="line">The line.</param>
    /// <param name="timeUnit">Nanoseconds of a unit of its times.</param>
    /// <param name="hasHistogram">Whether the region has a histogram.</param>
    public static AreaCounters Parse(string line, ulong timeUnit, bool hasHistogram)
    {
        string[] words = line.Split(' ');
        ulong[] counters = new ulong[Count];
        for (int i = 0; i < Count; i++)
        {
            bool isTime = (Counter)i is Counter.ReadTime or Counter.WriteTime or >= Counter.BusyTime;
            counters[i] = ulong.Parse(words[i + 1], CultureInfo.InvariantCulture) * (isTime ? timeUnit : 1);
        }

        return new AreaCounters(counters, hasHistogram ? [.. words[Count + 1].Split(':').Select(bin => ulong.Parse(bin, CultureInfo.InvariantCulture))] : []);
    }
}
