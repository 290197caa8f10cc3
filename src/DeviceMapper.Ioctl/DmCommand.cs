namespace DeviceMapper.Ioctl;

/// <summary>The commands of the device mapper's control node, with the kernel's numbers and names (<c>DM_*_CMD</c>).</summary>
public enum DmCommand : byte
{
    /// <summary>Exchanges versions, nothing else.</summary>
    Version = 0,

    /// <summary>Removes all devices that are not open.</summary>
    RemoveAll = 1,

    /// <summary>Names, numbers, events and uuids of devices: a <see cref="NameList"/>.</summary>
    ListDevices = 2,

    /// <summary>Makes a device without a table.</summary>
    DevCreate = 3,

    /// <summary>Removes a device.</summary>
    DevRemove = 4,

    /// <summary>Renames a device, or, with <see cref="DmFlags.Uuid"/>, gives it a uuid.</summary>
    DevRename = 5,

    /// <summary>Suspends with <see cref="DmFlags.Suspend"/>, else resumes.</summary>
    DevSuspend = 6,

    /// <summary>The struct's fields of a device.</summary>
    DevStatus = 7,

    /// <summary>Waits until a device's event number differs, then as <see cref="TableStatus"/>.</summary>
    DevWait = 8,

    /// <summary>Builds a table in the inactive slot, from <see cref="TargetSpecs"/>.</summary>
    TableLoad = 9,

    /// <summary>Destroys the inactive table.</summary>
    TableClear = 10,

    /// <summary>The devices of a table: <see cref="TargetDependencies"/>.</summary>
    TableDeps = 11,

    /// <summary>Status or arguments of a table's targets: <see cref="TargetSpecs"/>.</summary>
    TableStatus = 12,

    /// <summary>The target types: <see cref="TargetVersions"/>.</summary>
    ListVersions = 13,

    /// <summary>A message for a target or for the device: <see cref="TargetMessage"/>.</summary>
    TargetMessage = 14,

    /// <summary>Sets the geometry that HDIO_GETGEO tells.</summary>
    DevSetGeometry = 15,

    /// <summary>Remembers the global event number, for poll.</summary>
    DevArmPoll = 16,

    /// <summary>The version of one target type: <see cref="TargetVersions"/>.</summary>
    GetTargetVersion = 17,

    /// <summary>Tests a multipath device's paths; for the block device, not for the control node.</summary>
    MpathProbePaths = 18,
}

/// <summary>The ioctl numbers of the commands.</summary>
public static class DmCommands
{
    // _IOWR(0xfd, nr, struct dm_ioctl): direction 3, size 312, type 0xfd.
    private const uint Base = (3u << 30) | (DmIoctl.HeaderSize << 16) | (Type << 8);

    /// <summary>The type byte of the device mapper's ioctls.</summary>
    public const uint Type = 0xfd;

    /// <summary>The number that ioctl(2) is called with: <c>_IOWR(0xfd, nr, struct dm_ioctl)</c>.</summary>
    public static uint IoctlNumber(this DmCommand command) => Base | (uint)command;

    /// <summary>Whether it is all in the struct: a payload is neither taken nor answered (the kernel's IOCTL_FLAGS_NO_PARAMS).</summary>
    public static bool IgnoresPayload(this DmCommand command) => command is DmCommand.RemoveAll or DmCommand.DevCreate or DmCommand.DevRemove
        or DmCommand.DevSuspend or DmCommand.DevStatus or DmCommand.TableClear or DmCommand.DevArmPoll;

    /// <summary>Whether it only tells what is known, and never waits: what looks after calls that take long would cost more than it does.</summary>
    public static bool IsBrief(this DmCommand command) => command is DmCommand.Version or DmCommand.ListDevices or DmCommand.DevStatus or DmCommand.TableDeps
        or DmCommand.ListVersions or DmCommand.GetTargetVersion;

    /// <summary>The type byte of an ioctl number.</summary>
    internal static uint TypeOf(uint ioctlNumber) => (ioctlNumber >> 8) & 0xff;

    /// <summary>The command of an ioctl number. As in the kernel, its direction and size bits do not matter.</summary>
    internal static DmCommand CommandOf(uint ioctlNumber) => (DmCommand)(ioctlNumber & 0xff);
}
