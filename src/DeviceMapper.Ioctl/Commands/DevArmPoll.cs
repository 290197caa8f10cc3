namespace DeviceMapper.Ioctl.Commands;

/// <summary>DM_DEV_ARM_POLL: a poll that follows waits for the global event number to move from what it is now.</summary>
internal static class DevArmPoll
{
    public static void Run(ControlCall call) => call.Session.Arm(call.Registry);
}
