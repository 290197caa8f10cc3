namespace DeviceMapper.Mapping.Statistics;

/// <summary>An I/O that the statistics of a mapped device count: a bio that came to it, or a piece of one that is cut, which the kernel counts by itself.</summary>
internal struct CountedIo
{
    /// <summary>The regions when it began; null where nothing counts it.</summary>
    public StatisticsSnapshot? Regions;

    /// <summary>Its first sector on the device.</summary>
    public ulong From;

    /// <summary>The sector after its last.</summary>
    public ulong To;

    /// <summary>0 for reads, 1 for all others.</summary>
    public int Direction;

    /// <summary>When it began, by the regions' clock.</summary>
    public long Start;

    /// <summary>The <see cref="LastIo"/> before it.</summary>
    public ulong Before;

    /// <summary>Whether it counts as merged: it begins where the last one of the same direction ended.</summary>
    public readonly bool IsMerged => Before == LastIo.End(From, Direction);
}
