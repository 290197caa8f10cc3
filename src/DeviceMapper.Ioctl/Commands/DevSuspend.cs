using DeviceMapper.Mapping;

namespace DeviceMapper.Ioctl.Commands;

/// <summary>DM_DEV_SUSPEND: suspends with the flag for it, else resumes, with the inactive table if there is one.</summary>
internal static class DevSuspend
{
    public static void Run(ControlCall call)
    {
        DmIoctl ioctl = call.Ioctl;
        MappedDevice device = call.Find();
        SuspendOptions options = (ioctl.Has(DmFlags.NoFlush) ? SuspendOptions.NoFlush : 0)
            | (ioctl.Has(DmFlags.SkipLockFs) ? SuspendOptions.SkipLockFs : 0);
        if (ioctl.Has(DmFlags.Suspend))
        {
            device.Suspend(options, call.Cancellation);
        }
        else
        {
            device.Resume(options, call.Cancellation);
        }

        call.WriteStatus(device);
    }
}
