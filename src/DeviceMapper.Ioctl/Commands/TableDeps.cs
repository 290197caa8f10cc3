using DeviceMapper.Mapping;

namespace DeviceMapper.Ioctl.Commands;

/// <summary>DM_TABLE_DEPS: the devices of a table.</summary>
internal static class TableDeps
{
    public static void Run(ControlCall call)
    {
        MappedDevice device = call.Find();
        call.WriteStatus(device);
        bool inactive = call.Ioctl.Has(DmFlags.QueryInactiveTable);
        if (call.Ioctl.Has(inactive ? DmFlags.InactivePresent : DmFlags.ActivePresent))
        {
            TargetDependencies.Write(call.Ioctl, call.Size, device.Dependencies(inactive), call.Ioctl.Has(DmFlags.DependencyNames));
        }
    }
}
