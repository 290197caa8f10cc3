using DeviceMapper.Mapping;

namespace DeviceMapper.Ioctl.Commands;

/// <summary>DM_DEV_STATUS: the struct's fields.</summary>
internal static class DevStatus
{
    public static void Run(ControlCall call)
    {
        MappedDevice device = call.Find();
        if (call.Ioctl.Has(DmFlags.SetReadAhead) && call.Ioctl.ReadAhead is { } sectors)
        {
            device.ReadAhead = sectors;
        }

        call.WriteStatus(device);
    }
}
