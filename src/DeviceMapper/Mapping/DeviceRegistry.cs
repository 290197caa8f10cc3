using DeviceMapper.Io;
using DeviceMapper.Targets;
using Microsoft.Extensions.Logging;
namespace DeviceMapper.Mapping;

/// <summary>How a <see cref="DeviceRegistry"/> is set up.</summary>
public sealed record DeviceRegistryOptions
{
    /// <summary>The folder that shows mapped devices as files: names in it, as names in /dev/mapper, are mapped devices, and are never opened through the kernel.</summary>
    public string? MapperFolder { get; init; }
    /// <summary>Where it logs.</summary>
    public ILogger? Logger { get; init; }
    /// <summary>Its clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
    /// <summary>The longest that opening a table device may take.</summary>
    public TimeSpan OpenTimeout { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>All mapped devices of this process, by name, uuid and number, and what they share: target types, claims and events.</summary>
public sealed class DeviceRegistry : IDisposable
{
    /// <summary>An empty registry.</summary>
    public DeviceRegistry(DeviceRegistryOptions? options = null) => Options = options ?? new();
    /// <summary>How it was set up.</summary>
    public DeviceRegistryOptions Options { get; }
    /// <summary>The block major of its mapped devices: one that is free on this machine.</summary>
    public uint Major => throw new NotImplementedException();
    /// <summary>The target types it knows, by name.</summary>
    public IReadOnlyList<TargetType> TargetTypes => throw new NotImplementedException();
    /// <summary>Counts creations, removals, renames, swaps and targets' events of all devices.</summary>
    public uint EventNumber => throw new NotImplementedException();
    /// <summary>Waits until <see cref="EventNumber"/> differs from a number.</summary>
    public void WaitForEvent(uint since, CancellationToken cancellation) => throw new NotImplementedException();
    /// <summary>Adds a front end; it hears of devices that are already there at once.</summary>
    public void AddExport(IDeviceExport export) => throw new NotImplementedException();
    /// <summary>All mapped devices, by name in byte order.</summary>
    public IReadOnlyList<MappedDevice> Devices => throw new NotImplementedException();
    /// <summary>Makes a mapped device without a table (DM_DEV_CREATE).</summary>
    /// <exception cref="DmException">EINVAL: a bad name; EBUSY: name, uuid or minor is taken.</exception>
    public MappedDevice Create(string name, string? uuid = null, uint? minor = null) => throw new NotImplementedException();
    /// <summary>Makes a mapped device with a table, and resumes it: all or nothing.</summary>
    public MappedDevice Create(string name, string table, DeviceMode mode = DeviceMode.ReadWrite, string? uuid = null) => throw new NotImplementedException();
    /// <summary>Finds by name.</summary>
    public MappedDevice? FindByName(string name) => throw new NotImplementedException();
    /// <summary>Finds by uuid.</summary>
    public MappedDevice? FindByUuid(string uuid) => throw new NotImplementedException();
    /// <summary>Finds by number.</summary>
    public MappedDevice? FindByNumber(DeviceNumber number) => throw new NotImplementedException();
    /// <summary>Renames (DM_DEV_RENAME). EBUSY: the name is taken.</summary>
    public void Rename(MappedDevice device, string newName) => throw new NotImplementedException();
    /// <summary>Gives a uuid to a device that has none (DM_DEV_RENAME with DM_UUID_FLAG).</summary>
    public void SetUuid(MappedDevice device, string uuid) => throw new NotImplementedException();
    /// <summary>Removes a device (DM_DEV_REMOVE).</summary>
    /// <returns>False where it is open and was only marked for removal.</returns>
    /// <exception cref="DmException">EBUSY: it is open, and <paramref name="deferred"/> was not asked for. ENXIO: it is already being removed.</exception>
    public bool Remove(MappedDevice device, bool deferred = false) => throw new NotImplementedException();
    /// <summary>Removes all devices that are not open, until none is left that can be (DM_REMOVE_ALL).</summary>
    /// <returns>How many are left open.</returns>
    public int RemoveAll(bool deferred = false) => throw new NotImplementedException();
    /// <summary>Removes everything; parked bios end with EIO.</summary>
    public void Dispose() => throw new NotImplementedException();
}
