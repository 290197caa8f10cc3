using DeviceMapper.Mapping;

namespace DeviceMapper.Ioctl.Commands;

/// <summary>DM_DEV_CREATE: makes a device without a table.</summary>
internal static class DevCreate
{
    public static void Run(ControlCall call)
    {
        DmIoctl ioctl = call.Ioctl;
        uint? minor = ioctl.Has(DmFlags.PersistentDev) ? ioctl.Device.Minor : null;
        MappedDevice device = call.Registry.Create(ioctl.Name, minor, ioctl.Uuid);
        call.WriteStatus(device);
    }
}
