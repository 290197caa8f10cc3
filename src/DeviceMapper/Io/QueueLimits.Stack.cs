namespace DeviceMapper.Io;

/// <content>Stacking (the kernel's <c>blk_stack_limits</c>, block/blk-settings.c of 6.12).</content>
public sealed partial record QueueLimits
{
    /// <summary>
    /// What I/O must look like on top of two devices: of this, what was stacked so far, and of one below.
    /// </summary>
    /// <param name="below">The limits of the device below.</param>
    /// <param name="start">From where on it is used: of a target's limits, where the target starts.</param>
    public QueueLimits Stack(QueueLimits below, Sector start)
    {
        bool misaligned = Misaligned || below.Misaligned;
        uint alignment = below.AlignmentAt(start);
        if (AlignmentOffset != alignment)
        {
            ulong top = Granularity + (ulong)AlignmentOffset;
            ulong bottom = below.Granularity + (ulong)alignment;
            misaligned |= Math.Max(top, bottom) % Math.Min(top, bottom) != 0; // their blocks do not line up
        }

        uint logical = Math.Max(LogicalBlockSize, below.LogicalBlockSize);
        uint physical = Multiple(Math.Max(PhysicalBlockSize, below.PhysicalBlockSize), of: logical, orElse: logical, ref misaligned);
        uint ioMin = Multiple(Math.Max(IoMin, below.IoMin), of: physical, orElse: physical, ref misaligned);
        uint ioOpt = Multiple(CommonMultiple(IoOpt, below.IoOpt), of: physical, orElse: 0, ref misaligned);
        uint offset = (uint)(CommonMultiple(AlignmentOffset, alignment) % Math.Max(physical, ioMin));
        misaligned |= offset % logical != 0;
        bool discards = below.DiscardGranularity != 0;
        return new QueueLimits
        {
            LogicalBlockSize = logical,
            PhysicalBlockSize = physical,
            IoMin = ioMin,
            IoOpt = ioOpt,
            AlignmentOffset = offset,
            Misaligned = misaligned,
            MaxSectors = WholeBlocks(LesserNotZero(MaxSectors, below.MaxSectors), logical),
            MaxDiscard = discards ? LesserNotZero(MaxDiscard, below.MaxDiscard) : MaxDiscard,
            DiscardGranularity = Math.Max(DiscardGranularity, below.DiscardGranularity),
            MaxWriteZeroes = SectorCount.Min(MaxWriteZeroes, below.MaxWriteZeroes),
            MaxSecureErase = LesserNotZero(MaxSecureErase, below.MaxSecureErase),
            WriteCache = WriteCache || below.WriteCache,
            Fua = Fua || below.Fua,
        };
    }

    /// <summary>The unit that starts at <see cref="AlignmentOffset"/>.</summary>
    private uint Granularity => Math.Max(PhysicalBlockSize, IoMin);

    /// <summary>How far behind a sector the next physical block starts, in bytes.</summary>
    private uint AlignmentAt(Sector sector)
    {
        ulong into = sector.Value % (Granularity / Sector.Size) * Sector.Size;
        return (uint)((Granularity + AlignmentOffset - into) % Granularity);
    }

    private static uint Multiple(ulong value, uint of, uint orElse, ref bool misaligned)
    {
        if (value % of == 0 && value <= uint.MaxValue)
        {
            return (uint)value;
        }

        misaligned = true;
        return orElse;
    }

    /// <summary>The least common multiple; where one is zero, the other.</summary>
    private static ulong CommonMultiple(uint a, uint b)
    {
        if (a == 0 || b == 0)
        {
            return Math.Max(a, b);
        }

        (uint divisor, uint rest) = (a, b);
        while (rest != 0)
        {
            (divisor, rest) = (rest, divisor % rest);
        }

        return (ulong)a / divisor * b;
    }

    private static SectorCount LesserNotZero(SectorCount a, SectorCount b) =>
        a == SectorCount.Zero ? b : b == SectorCount.Zero ? a : SectorCount.Min(a, b);

    /// <summary>The kernel's <c>blk_round_down_sectors</c>: at least a page.</summary>
    private static SectorCount WholeBlocks(SectorCount sectors, uint block)
    {
        const ulong Page = 4096 / Sector.Size;
        return new SectorCount(Math.Max(sectors.Value / (block / Sector.Size) * (block / Sector.Size), Page));
    }
}
