namespace DeviceMapper.Mapping.Statistics;

/// <summary>What <c>@stats_create</c> says of a region.</summary>
/// <param name="Start">Its first sector.</param>
/// <param name="End">The sector after its last.</param>
/// <param name="Step">Sectors of an area; the last area may be shorter.</param>
/// <param name="Precise">Times in nanoseconds, not in milliseconds.</param>
/// <param name="Boundaries">Of the histogram of latencies, rising, in the unit of the times; empty without one.</param>
/// <param name="ProgramId">Whose it is.</param>
/// <param name="AuxData">What that program keeps with it.</param>
internal sealed record StatisticsOptions(
    ulong Start, ulong End, ulong Step, bool Precise, IReadOnlyList<ulong> Boundaries, string ProgramId, string AuxData)
{
    /// <summary>How many areas there are.</summary>
    public ulong Areas => ((End - Start) / Step) + ((End - Start) % Step == 0 ? 0UL : 1);
}
