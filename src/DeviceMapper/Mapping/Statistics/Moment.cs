namespace DeviceMapper.Mapping.Statistics;

/// <summary>What happened to an I/O that is counted.</summary>
/// <param name="Now">When, in the region's unit.</param>
/// <param name="Kind">What.</param>
/// <param name="Duration">At its end: how long it took, in the same unit.</param>
/// <param name="Merged">At its end: whether it counts as merged with the one before.</param>
internal readonly record struct Moment(long Now, MomentKind Kind, long Duration, bool Merged);

/// <summary>Kinds of <see cref="Moment"/>.</summary>
internal enum MomentKind
{
    /// <summary>It has begun.</summary>
    Begin,

    /// <summary>It has ended.</summary>
    End,

    /// <summary>It had begun, goes back to a queue, and will begin again.</summary>
    Abandon,
}
