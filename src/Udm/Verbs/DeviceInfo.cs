using DeviceMapper.Io;
using DeviceMapper.Ioctl;

namespace Udm.Verbs;

/// <summary>What an ioctl's answer tells of a mapped device.</summary>
/// <param name="Name">Its name, as a user is shown it.</param>
/// <param name="Uuid">Its uuid, likewise; empty without one.</param>
/// <param name="Number">Its number.</param>
/// <param name="OpenCount">How many have it open.</param>
/// <param name="EventNumber">Its count of events.</param>
/// <param name="TargetCount">Targets of the table that was asked for.</param>
/// <param name="Flags">The answer's flags.</param>
internal sealed record DeviceInfo(string Name, string Uuid, DeviceNumber Number, int OpenCount, uint EventNumber, uint TargetCount, DmFlags Flags)
{
    /// <summary>Whether it is suspended.</summary>
    public bool IsSuspended => Flags.HasFlag(DmFlags.Suspend);

    /// <summary>Whether it is read-only.</summary>
    public bool IsReadOnly => Flags.HasFlag(DmFlags.ReadOnly);

    /// <summary>Whether it has a live table.</summary>
    public bool HasLiveTable => Flags.HasFlag(DmFlags.ActivePresent);

    /// <summary>Whether it has an inactive table.</summary>
    public bool HasInactiveTable => Flags.HasFlag(DmFlags.InactivePresent);

    /// <summary>Whether it is removed on its last close.</summary>
    public bool IsDeferredRemove => Flags.HasFlag(DmFlags.DeferredRemove);

    /// <summary>Whether the kernel would have a disk of it: it has had a table.</summary>
    public bool HasDisk => ReadAhead is not null;

    /// <summary>Its read-ahead in sectors; null where the kernel would have no disk yet to read it from, before the first table.</summary>
    public required uint? ReadAhead { get; init; }

    /// <summary>Its name in the daemon's form.</summary>
    public required string DaemonName { get; init; }

    /// <summary>Its uuid in the daemon's form; empty without one.</summary>
    public required string DaemonUuid { get; init; }

    /// <summary>Reads an answer.</summary>
    /// <exception cref="VerbException">Its name or uuid should be mangled, and is not.</exception>
    public static DeviceInfo From(DmIoctl answer, ManglingMode mangling) => new(
        NameMangling.FromDaemon(answer.Name, "name", mangling),
        NameMangling.FromDaemon(answer.Uuid, "uuid", mangling),
        answer.Device,
        answer.OpenCount,
        answer.EventNumber,
        answer.TargetCount,
        answer.Flags)
    {
        DaemonName = answer.Name,
        DaemonUuid = answer.Uuid,
        ReadAhead = answer.ReadAhead,
    };
}
