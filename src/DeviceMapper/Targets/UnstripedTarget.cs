using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Targets;

/// <summary>
/// One stripe of a striped device: <c>unstriped &lt;stripes&gt; &lt;chunk&gt; &lt;stripe&gt; &lt;device&gt; &lt;offset&gt;</c>
/// (drivers/md/dm-unstripe.c).
/// </summary>
public sealed class UnstripedTarget : Target
{
    private readonly uint _stripes;
    private readonly uint _chunk; // sectors
    private readonly uint _stripe;
    private readonly DeviceReference _device;
    private readonly Sector _offset;

    /// <summary>Takes the shape of the striped device, and which of its stripes it is.</summary>
    public UnstripedTarget(TargetArguments arguments)
        : base(arguments)
    {
        arguments.Expect(5, 5);
        _stripes = arguments.UInt32(0, "stripes", "a positive number of stripes", least: 1);
        _chunk = arguments.UInt32(1, "chunk size", "a positive number of sectors", least: 1);
        _stripe = arguments.UInt32(2, "stripe", "the number of a stripe");
        if (_stripe > _stripes && _stripes > 1)
        {
            // The kernel takes one number too many, and any number where there is one stripe.
            throw arguments.Refuse(2, "stripe", $"is not a number from 0 to {_stripes}");
        }

        _device = Open(arguments);
        _offset = arguments.Sector(4, "offset");
        if (Length.Value % _chunk != 0)
        {
            throw arguments.Refuse($"the length {Length} is not a multiple of the chunk size {_chunk}");
        }

        MaxIo = new SectorCount(_chunk);
        FlushBios = 1;
    }

    /// <summary>The type <c>unstriped</c>.</summary>
    public static TargetType Definition { get; } = new(
        "unstriped",
        new(1, 1, 0),
        "<stripes> <chunk size> <stripe> <device> <offset>",
        TargetFeatures.NoWait,
        arguments => new UnstripedTarget(arguments));

    /// <inheritdoc/>
    public override MapResult Map(Bio bio)
    {
        bio.Device = _device.Device;
        bio.Sector = _offset + Locate(OffsetOf(bio.Sector));
        return MapResult.Remapped;
    }

    /// <summary>Of one chunk: the next one is elsewhere.</summary>
    public override (SectorCount Length, bool Hole) ExtentAt(Sector start, SectorCount length)
    {
        SectorCount at = OffsetOf(start);
        return _device.ExtentAt(_offset + Locate(at), SectorCount.Min(length, new SectorCount(_chunk - (at.Value % _chunk))));
    }

    /// <summary>Large numbers of stripes are negative there, as the kernel prints them.</summary>
    public override void AppendTable(StringBuilder text) => text.Append($"{(int)_stripes} {_chunk} {(int)_stripe} {_device.Name} {_offset}");

    /// <summary>As the kernel, as many sectors as the target has: I/O past the end of the device fails there.</summary>
    public override IEnumerable<TargetArea> Areas => [new(_device, _offset, Length)];

    // As the kernel, which has one errno for whatever happens to the device.
    private static DeviceReference Open(TargetArguments arguments)
    {
        try
        {
            return arguments.Device(3);
        }
        catch (DmException e) when (e.Errno != Errno.EINTR)
        {
            throw new DmException(Errno.EINVAL, e.Message, e);
        }
    }

    /// <summary>Where a sector of the target lies on the striped device.</summary>
    private SectorCount Locate(SectorCount sector) =>
        new(unchecked(sector.Value + ((ulong)(_stripes - 1) * _chunk * (sector.Value / _chunk)) + ((ulong)_stripe * _chunk)));
}
