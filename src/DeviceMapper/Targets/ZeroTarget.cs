using DeviceMapper.Io;

namespace DeviceMapper.Targets;

/// <summary>Reads as zeroes, and forgets what is written: <c>zero</c> (drivers/md/dm-zero.c).</summary>
public sealed class ZeroTarget : Target
{
    /// <summary>Takes no arguments.</summary>
    public ZeroTarget(TargetArguments arguments)
        : base(arguments)
    {
        arguments.Expect(0, 0);
        DiscardBios = WriteZeroesBios = 1; // the kernel's takes none of the latter, and gets writes instead
        DiscardsSupported = true;
    }

    /// <summary>The type <c>zero</c>.</summary>
    public static TargetType Definition { get; } = new(
        "zero", new(1, 2, 0), "no arguments", TargetFeatures.NoWait, arguments => new ZeroTarget(arguments));

    /// <inheritdoc/>
    public override MapResult Map(Bio bio)
    {
        switch (bio.Operation)
        {
            case BioOperation.Read when (bio.Flags & BioFlags.ReadAhead) != 0:
                return MapResult.Kill; // zeroes read ahead would only fill a cache
            case BioOperation.Read:
                bio.Buffer.Clear();
                break;
            case BioOperation.Write or BioOperation.Discard or BioOperation.WriteZeroes:
                break;
            default:
                return MapResult.Kill;
        }

        bio.End(BioStatus.Ok);
        return MapResult.Submitted;
    }

    /// <inheritdoc/>
    public override (SectorCount Length, bool Hole) ExtentAt(Sector start, SectorCount length) => (length, true);

    /// <inheritdoc/>
    public override QueueLimits AdjustLimits(QueueLimits limits) => limits with
    {
        MaxDiscard = new SectorCount(uint.MaxValue),
        DiscardGranularity = limits.LogicalBlockSize,
    };
}
