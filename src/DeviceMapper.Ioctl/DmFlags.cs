namespace DeviceMapper.Ioctl;

/// <summary>The flags of <see cref="DmIoctl"/>, with the kernel's bits (<c>DM_*_FLAG</c>).</summary>
[Flags]
public enum DmFlags : uint
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>In: load a read-only table. Out: the table is read-only.</summary>
    ReadOnly = 1 << 0,

    /// <summary>In: suspend instead of resume. Out: suspended.</summary>
    Suspend = 1 << 1,

    /// <summary>In: the minor number is given.</summary>
    PersistentDev = 1 << 3,

    /// <summary>In: arguments instead of status.</summary>
    StatusTable = 1 << 4,

    /// <summary>Out: there is a live table.</summary>
    ActivePresent = 1 << 5,

    /// <summary>Out: there is an inactive table.</summary>
    InactivePresent = 1 << 6,

    /// <summary>Out: the result did not fit into the buffer.</summary>
    BufferFull = 1 << 8,

    /// <summary>In: ignored.</summary>
    SkipBdget = 1 << 9,

    /// <summary>In: do not freeze a file system.</summary>
    SkipLockFs = 1 << 10,

    /// <summary>In: suspend without waiting for I/O that targets hold; status without making anything durable for it.</summary>
    NoFlush = 1 << 11,

    /// <summary>In: tell of the inactive table instead of the live one.</summary>
    QueryInactiveTable = 1 << 12,

    /// <summary>Out: a uevent was sent. Never set here: there are none.</summary>
    UeventGenerated = 1 << 13,

    /// <summary>In: rename changes the uuid; list gives the uuids.</summary>
    Uuid = 1 << 14,

    /// <summary>In: wipe all buffers that held this request.</summary>
    SecureData = 1 << 15,

    /// <summary>Out: a message has an answer.</summary>
    DataOut = 1 << 16,

    /// <summary>In: remove on last close. Out: it will be.</summary>
    DeferredRemove = 1 << 17,

    /// <summary>Out: suspended by the kernel's own doing.</summary>
    InternalSuspend = 1 << 18,

    /// <summary>In: what IMA measures instead of status.</summary>
    ImaMeasurement = 1 << 19,

    /// <summary>In: answers that tell of a device have <see cref="DmIoctl.ReadAhead"/>. Ours alone; the kernel ignores it.</summary>
    TellReadAhead = 1u << 29,

    /// <summary>In, with <see cref="DmCommand.DevStatus"/>: <see cref="DmIoctl.ReadAhead"/> is set first. Ours alone; the kernel ignores it.</summary>
    SetReadAhead = 1u << 30,

    /// <summary>In, with <see cref="DmCommand.TableDeps"/>: names follow the numbers. Ours alone; the kernel ignores it.</summary>
    DependencyNames = 1u << 31,
}
