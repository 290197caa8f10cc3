using DeviceMapper.Mapping;

namespace DeviceMapper.Ioctl.Commands;

/// <summary>DM_DEV_WAIT: waits for an event, then tells the status of the targets.</summary>
internal static class DevWait
{
    public static void Run(ControlCall call)
    {
        MappedDevice device = call.Find();
        device.WaitForEvent(call.Ioctl.EventNumber, call.Cancellation);
        TableStatus.Write(call, device);
    }
}
