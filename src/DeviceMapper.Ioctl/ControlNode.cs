using DeviceMapper.Ioctl.Commands;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Ioctl;

/// <summary>
/// Carries out the device mapper's ioctls on a registry, with the kernel's checks in its order
/// (<c>ctl_ioctl</c> of drivers/md/dm-ioctl.c).
/// </summary>
public static class ControlNode
{
    private const DmFlags ClearedOnEntry = DmFlags.BufferFull | DmFlags.UeventGenerated | DmFlags.SecureData | DmFlags.DataOut;

    /// <summary>Carries out an ioctl.</summary>
    /// <param name="registry">The devices.</param>
    /// <param name="session">Who calls.</param>
    /// <param name="number">The ioctl's number.</param>
    /// <param name="ioctl">The request; becomes the answer, of which <see cref="DmIoctl.DataSize"/> bytes are meant. Of a refusal, only the version is.</param>
    /// <param name="given">How many bytes the caller gave.</param>
    /// <param name="cancellation">The caller has gone away: what waits ends with EINTR, and is undone.</param>
    /// <returns>Sentences for the caller.</returns>
    /// <exception cref="DmException">The refusal.</exception>
    public static IReadOnlyList<string> Execute(
        DeviceRegistry registry, ControlSession session, uint number, DmIoctl ioctl, int given, CancellationToken cancellation)
    {
        if (DmCommands.TypeOf(number) != DmCommands.Type)
        {
            throw new DmException(Errno.ENOTTY, $"0x{number:x} is no ioctl of the device mapper");
        }

        ExchangeVersions(ioctl);
        DmCommand command = DmCommands.CommandOf(number);
        if (command == DmCommand.Version)
        {
            return [];
        }

        Action<ControlCall> run = Find(command) ?? throw new DmException(Errno.ENOTTY, $"there is no command {(uint)command}");
        ControlCall call = new(registry, session, ioctl, CheckSize(ioctl, given), cancellation);
        ioctl.Flags &= ~ClearedOnEntry;
        CheckNames(command, ioctl);
        ioctl.DataSize = DmIoctl.FixedSize; // unless the command has more to tell

        try
        {
            run(call);
        }
        finally
        {
            session.WaitsFor = null;
        }

        return call.Warnings;
    }

    private static Action<ControlCall>? Find(DmCommand command) => command switch
    {
        DmCommand.RemoveAll => RemoveAll.Run,
        DmCommand.ListDevices => ListDevices.Run,
        DmCommand.DevCreate => DevCreate.Run,
        DmCommand.DevRemove => DevRemove.Run,
        DmCommand.DevRename => DevRename.Run,
        DmCommand.DevSuspend => DevSuspend.Run,
        DmCommand.DevStatus => DevStatus.Run,
        DmCommand.DevWait => DevWait.Run,
        DmCommand.TableLoad => TableLoad.Run,
        DmCommand.TableClear => TableClear.Run,
        DmCommand.TableDeps => TableDeps.Run,
        DmCommand.TableStatus => TableStatus.Run,
        DmCommand.ListVersions => ListVersions.Run,
        DmCommand.TargetMessage => TargetMsg.Run,
        DmCommand.DevSetGeometry => DevSetGeometry.Run,
        DmCommand.DevArmPoll => DevArmPoll.Run,
        DmCommand.GetTargetVersion => GetTargetVersion.Run,
        _ => null, // the probing of paths is the block device's ioctl
    };

    /// <summary>Ours is written back whatever happens.</summary>
    private static void ExchangeVersions(DmIoctl ioctl)
    {
        DmVersion asked = ioctl.Version;
        ioctl.Version = DmVersion.Current;
        if (asked.Major != DmVersion.Current.Major || asked.Minor > DmVersion.Current.Minor)
        {
            throw new DmException(Errno.EINVAL, $"version {asked} of the interface is asked for, this is {DmVersion.Current}");
        }
    }

    private static int CheckSize(DmIoctl ioctl, int given)
    {
        uint size = ioctl.DataSize;
        if (size is < DmIoctl.FixedSize or > DmIoctl.MaxDataSize)
        {
            throw new DmException(Errno.EINVAL, $"data_size: {size} is not from {DmIoctl.FixedSize} to {DmIoctl.MaxDataSize} bytes");
        }

        return size <= (uint)given
            ? (int)size
            : throw new DmException(Errno.EFAULT, $"data_size: {size} bytes are said to be there, {given} are");
    }

    private static void CheckNames(DmCommand command, DmIoctl ioctl)
    {
        switch (command)
        {
            case DmCommand.RemoveAll or DmCommand.ListDevices or DmCommand.ListVersions:
                break;
            case DmCommand.DevCreate when ioctl.Name.Length == 0:
                throw new DmException(Errno.EINVAL, "a device is made with a name, and none is given");
            case not DmCommand.DevCreate when ioctl.Name.Length > 0 && ioctl.Uuid.Length > 0:
                throw new DmException(Errno.EINVAL, "both a name and a uuid are given; one is expected");
        }
    }
}
