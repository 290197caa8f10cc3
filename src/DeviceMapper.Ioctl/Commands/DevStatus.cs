namespace DeviceMapper.Ioctl.Commands;

/// <summary>DM_DEV_STATUS: the struct's fields.</summary>
internal static class DevStatus
{
    public static void Run(ControlCall call) => call.WriteStatus(call.Find());
}
