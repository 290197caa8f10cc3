using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets;

/// <summary>
/// Fails all I/O with EIO: <c>error [&lt;device&gt; &lt;offset&gt;]</c> (drivers/md/dm-target.c). From a device it takes the limits, and nothing else.
/// </summary>
public sealed class ErrorTarget : Target
{
    private readonly DeviceReference? _device;
    private readonly Sector _offset;

    /// <summary>Takes a device and an offset where there are just two arguments; any other number of them is ignored, as in the kernel.</summary>
    public ErrorTarget(TargetArguments arguments)
        : base(arguments)
    {
        if (arguments.Count == 2)
        {
            _offset = arguments.Sector(1, "offset");
            _device = arguments.Device(0);
        }

        DiscardBios = WriteZeroesBios = 1; // the kernel's takes none of the latter, and gets writes instead
        DiscardsSupported = true;
    }

    /// <summary>The type <c>error</c>.</summary>
    public static TargetType Definition { get; } = new(
        "error", new(1, 7, 0), "[<device> <offset>]", TargetFeatures.Wildcard | TargetFeatures.PassesIntegrity, arguments => new ErrorTarget(arguments));

    /// <inheritdoc/>
    public override MapResult Map(Bio bio) => MapResult.Kill;

    /// <inheritdoc/>
    public override bool? RequestBased => null;

    /// <inheritdoc/>
    public override IEnumerable<TargetArea> Areas => _device is null ? [] : [new(_device, _offset, Length)];

    /// <inheritdoc/>
    public override QueueLimits AdjustLimits(QueueLimits limits) => limits with
    {
        MaxDiscard = new SectorCount(uint.MaxValue),
        DiscardGranularity = Sector.Size,
    };
}
