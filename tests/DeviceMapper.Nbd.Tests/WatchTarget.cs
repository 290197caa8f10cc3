using DeviceMapper.Backends;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Targets;

namespace DeviceMapper.Nbd.Tests;

/// <summary>As linear; shows whether its device can be reached, and which threads submit bios.</summary>
internal sealed class WatchTarget : Target
{
    private readonly ServedRegistry _served;
    private readonly DeviceReference _device;

    public WatchTarget(TargetArguments arguments, ServedRegistry served)
        : base(arguments)
    {
        arguments.Expect(2, 2);
        _served = served;
        _device = arguments.Device(0);
        served.Path = _device.Backend as IPathMonitor;
        FlushBios = 1;
    }

    public override MapResult Map(Bio bio)
    {
        _served.Submitters[Environment.CurrentManagedThreadId] = true;
        bio.Device = _device.Device;
        return MapResult.Remapped;
    }

    public override IEnumerable<TargetArea> Areas => [new(_device, default, Length)];
}
