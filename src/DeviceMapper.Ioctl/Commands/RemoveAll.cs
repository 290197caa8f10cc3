namespace DeviceMapper.Ioctl.Commands;

/// <summary>DM_REMOVE_ALL: removes all devices that are not open.</summary>
internal static class RemoveAll
{
    public static void Run(ControlCall call)
    {
        call.Registry.RemoveAll(call.Ioctl.Has(DmFlags.DeferredRemove));
        call.Ioctl.DataSize = 0;
    }
}
