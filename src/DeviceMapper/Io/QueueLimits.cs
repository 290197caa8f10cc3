namespace DeviceMapper.Io;

/// <summary>
/// What I/O to a device must and should look like, stacked from the devices below as the kernel's <c>queue_limits</c>
/// (block/blk-settings.c). Sizes are in bytes unless a type says otherwise.
/// </summary>
public sealed partial record QueueLimits
{
    /// <summary>What a table starts from: 512-byte blocks, nothing preferred, everything allowed (the kernel's <c>blk_set_stacking_limits</c>).</summary>
    public static QueueLimits Stacking { get; } = new() { MaxWriteZeroes = new SectorCount(uint.MaxValue) };

    /// <summary>The unit of addresses and lengths; a power of two, at least 512.</summary>
    public uint LogicalBlockSize { get; init; } = 512;

    /// <summary>The unit that the device writes without reading first.</summary>
    public uint PhysicalBlockSize { get; init; } = 512;

    /// <summary>The smallest I/O that is not slow.</summary>
    public uint IoMin { get; init; } = 512;

    /// <summary>The best size of large I/O; 0 when nothing is known.</summary>
    public uint IoOpt { get; init; }

    /// <summary>Where the first physical block starts.</summary>
    public uint AlignmentOffset { get; init; }

    /// <summary>Set where the devices below could not be stacked without some I/O falling across physical blocks.</summary>
    public bool Misaligned { get; init; }

    /// <summary>The largest read or write.</summary>
    public SectorCount MaxSectors { get; init; } = new(uint.MaxValue);

    /// <summary>The largest discard; zero when the device has none.</summary>
    public SectorCount MaxDiscard { get; init; }

    /// <summary>The unit of discards; 0 when the device has none.</summary>
    public uint DiscardGranularity { get; init; }

    /// <summary>The largest write of zeroes; zero when the device has none of its own.</summary>
    public SectorCount MaxWriteZeroes { get; init; }

    /// <summary>The largest secure erase; zero when the device has none.</summary>
    public SectorCount MaxSecureErase { get; init; }

    /// <summary>Whether completed writes may be lost until a flush.</summary>
    public bool WriteCache { get; init; }

    /// <summary>Whether the device itself makes single writes durable.</summary>
    public bool Fua { get; init; }

    /// <summary>The metadata that the device keeps for its blocks; null for none. A table passes it on where all of its targets do, and have the same.</summary>
    public IntegrityProfile? Integrity { get; init; }

    /// <summary>
    /// How many sectors a discard from a sector on takes at most, before tables are asked: up to the next multiple of the granularity, and from there
    /// what a bio of the kernel has bytes for (<c>bio_discard_limit</c>, block/blk-lib.c).
    /// </summary>
    public SectorCount DiscardRoomAt(Sector at)
    {
        // The kernel's rounding, also where it is none: a pool's blocks need not be a power of two.
        ulong within = Math.Max(DiscardGranularity, Sector.Size) / Sector.Size - 1;
        ulong next = ((at.Value - 1) | within) + 1;
        return new SectorCount(next != at.Value ? next - at.Value : uint.MaxValue / Sector.Size & ~within);
    }
}
