using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets;

/// <summary>A run of sectors of another device: <c>linear &lt;device&gt; &lt;offset&gt;</c> (drivers/md/dm-linear.c).</summary>
public sealed class LinearTarget : Target
{
    private readonly DeviceReference _device;
    private readonly Sector _offset; // on the device, of the target's first sector

    /// <summary>Takes the device, and the sector on it where the target starts.</summary>
    public LinearTarget(TargetArguments arguments)
        : base(arguments)
    {
        arguments.Expect(2, 2);
        _offset = arguments.Sector(1, "offset");
        _device = arguments.Device(0);
        FlushBios = DiscardBios = SecureEraseBios = WriteZeroesBios = 1;
        FlushBypassesMap = true;
    }

    /// <summary>The type <c>linear</c>.</summary>
    public static TargetType Definition { get; } = new(
        "linear", new(1, 4, 0), "<device> <offset>", TargetFeatures.PassesIntegrity | TargetFeatures.NoWait, arguments => new LinearTarget(arguments));

    /// <inheritdoc/>
    public override MapResult Map(Bio bio)
    {
        bio.Device = _device.Device;
        bio.Sector = _offset + OffsetOf(bio.Sector);
        return MapResult.Remapped;
    }

    /// <inheritdoc/>
    public override (SectorCount Length, bool Hole) ExtentAt(Sector start, SectorCount length) =>
        _device.ExtentAt(_offset + OffsetOf(start), length);

    /// <inheritdoc/>
    public override void AppendTable(StringBuilder text) => text.Append($"{_device.Name} {_offset}");

    /// <inheritdoc/>
    public override void Measure(Measurement measurement) => measurement.Add("device_name", _device.Name).Add("start", _offset);

    /// <inheritdoc/>
    public override IEnumerable<TargetArea> Areas => [new(_device, _offset, Length)];
}
