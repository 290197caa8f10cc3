using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Targets.Snapshots;

namespace DeviceMapper.Targets;

/// <summary>
/// A device of which there may be snapshots: <c>snapshot-origin &lt;origin&gt;</c>. Writes wait until the snapshots have kept what they
/// overwrite (drivers/md/dm-snap.c).
/// </summary>
/// <remarks>As in the kernel, sectors are those of the mapped device, wherever the target starts.</remarks>
public sealed class SnapshotOriginTarget : Target
{
    private readonly DeviceReference _device;
    private readonly Origin _origin;

    /// <summary>Takes the device.</summary>
    public SnapshotOriginTarget(TargetArguments arguments)
        : base(arguments)
    {
        arguments.Expect(1, 1);
        _device = arguments.Device(0, "origin");
        _origin = Origins.Of(Table.Owner.Registry).Get(_device);
        FlushBios = 1;
    }

    /// <summary>The type <c>snapshot-origin</c>.</summary>
    public static TargetType Definition { get; } = new(
        "snapshot-origin", new(1, 9, 0), "<origin>", TargetFeatures.None, arguments => new SnapshotOriginTarget(arguments));

    /// <inheritdoc/>
    public override MapResult Map(Bio bio)
    {
        bio.Device = _device.Device;
        return !bio.IsWrite || _origin.MayWrite(bio) ? MapResult.Remapped : MapResult.Submitted;
    }

    /// <inheritdoc/>
    public override void AppendTable(StringBuilder text) => text.Append(_device.Name);

    /// <inheritdoc/>
    public override IEnumerable<TargetArea> Areas => [new(_device, default, Length)];

    /// <inheritdoc/>
    public override void Dispose()
    {
        _origin.Origins.Put(_origin);
        base.Dispose();
    }
}
