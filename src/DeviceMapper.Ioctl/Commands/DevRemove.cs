using DeviceMapper.Mapping;

namespace DeviceMapper.Ioctl.Commands;

/// <summary>DM_DEV_REMOVE: removes a device, or marks one that is open for removal.</summary>
internal static class DevRemove
{
    public static void Run(ControlCall call)
    {
        MappedDevice device = call.Find();
        if (call.Registry.Remove(device, call.Ioctl.Has(DmFlags.DeferredRemove)))
        {
            call.Ioctl.Flags &= ~DmFlags.DeferredRemove;
        }
    }
}
