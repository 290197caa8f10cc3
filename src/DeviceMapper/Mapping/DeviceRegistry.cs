using DeviceMapper.Backends;
using DeviceMapper.Io;
using DeviceMapper.Native;
using DeviceMapper.Targets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeviceMapper.Mapping;

/// <summary>
/// All mapped devices of this process, by name, uuid and number, and what they share: target types, claims, events
/// (the kernel's drivers/md/dm-ioctl.c without the ioctls).
/// </summary>
public sealed partial class DeviceRegistry : IDisposable
{
    /// <summary>The longest name, in bytes of UTF-8 (DM_NAME_LEN less the NUL).</summary>
    public const int MaxNameLength = 127;

    /// <summary>The longest uuid, in bytes of UTF-8 (DM_UUID_LEN less the NUL).</summary>
    public const int MaxUuidLength = 128;

    private readonly Lock _lock = new(); // guards the three indexes; taken before a device's own locks
    private readonly Dictionary<string, MappedDevice> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<string, MappedDevice> _byUuid = new(StringComparer.Ordinal);
    private readonly Dictionary<uint, MappedDevice> _byMinor = [];
    private readonly MinorNumbers _minors = new();
    private readonly EventCounter _events = new();
    private readonly Dictionary<string, TargetType> _targetTypes;

    /// <summary>An empty registry.</summary>
    /// <param name="options">How it is set up.</param>
    public DeviceRegistry(DeviceRegistryOptions? options = null)
    {
        Options = options ?? new DeviceRegistryOptions();
        Logger = Options.Logger ?? NullLogger.Instance;
        TargetTypes = Options.TargetTypes;
        _targetTypes = TargetTypes.ToDictionary(t => t.Name, StringComparer.Ordinal);
        (Major, uint foreignMajor) = FreeMajors.Find();
        Claims = new Claims(new MinorNumbers(), foreignMajor);
        Resolve = Options.Resolve ?? new DeviceResolver(this).Resolve;
    }

    /// <summary>How it was set up.</summary>
    public DeviceRegistryOptions Options { get; }

    /// <summary>The block major of its mapped devices: one that no driver of this machine has.</summary>
    public uint Major { get; }

    /// <summary>The target types that it knows, by name.</summary>
    public IReadOnlyList<TargetType> TargetTypes { get; }

    /// <summary>Counts creations, removals, renames, swaps and targets' events of all devices.</summary>
    public uint EventNumber => _events.Number;

    /// <summary>All mapped devices, by name in byte order.</summary>
    public IReadOnlyList<MappedDevice> Devices
    {
        get
        {
            MappedDevice[] devices;
            lock (_lock)
            {
                devices = [.. _byName.Values];
            }

            Array.Sort(devices, (a, b) => string.CompareOrdinal(a.Name, b.Name));
            return devices;
        }
    }

    internal ILogger Logger { get; }

    internal Claims Claims { get; }

    internal Holders Holders { get; } = new();

    internal Topology Topology { get; } = new();

    /// <summary>Finds the device that a word of a table names.</summary>
    internal Func<string, ResolveContext, DeviceSpec> Resolve { get; }

    /// <summary>Waits until <see cref="EventNumber"/> differs from a number.</summary>
    /// <exception cref="DmException">EINTR: <paramref name="cancellation"/>.</exception>
    public void WaitForEvent(uint since, CancellationToken cancellation) => _events.Wait(since, cancellation);

    /// <summary>Finds by name.</summary>
    public MappedDevice? FindByName(string name)
    {
        lock (_lock)
        {
            return _byName.GetValueOrDefault(name);
        }
    }

    /// <summary>Finds by uuid.</summary>
    public MappedDevice? FindByUuid(string uuid)
    {
        lock (_lock)
        {
            return uuid.Length == 0 ? null : _byUuid.GetValueOrDefault(uuid);
        }
    }

    /// <summary>Finds by number.</summary>
    public MappedDevice? FindByNumber(DeviceNumber number)
    {
        lock (_lock)
        {
            return number.Major == Major ? _byMinor.GetValueOrDefault(number.Minor) : null;
        }
    }

    /// <summary>The mapped devices whose tables use a device, by its number; each once.</summary>
    /// <param name="number">A block device's, or a mapped device's.</param>
    public IReadOnlyList<MappedDevice> HoldersOf(DeviceNumber number) =>
        Holders.Of(new DeviceIdentity(number.Major == Major ? "mapped" : "block", number.ToString()));

    /// <summary>Finds a target type.</summary>
    public TargetType? FindTargetType(string name) => _targetTypes.GetValueOrDefault(name);

    /// <summary>Makes a mapped device without a table (DM_DEV_CREATE).</summary>
    /// <param name="name">At most <see cref="MaxNameLength"/> bytes, no slash, not <c>control</c>, <c>.</c> or <c>..</c>.</param>
    /// <param name="minor">A minor of the caller's choice; else the lowest free one.</param>
    /// <param name="uuid">At most <see cref="MaxUuidLength"/> bytes, or none.</param>
    /// <exception cref="DmException">EINVAL: a bad name or uuid; EBUSY: one that is taken; ENXIO: a minor that is too large, or taken.</exception>
    public MappedDevice Create(string name, uint? minor = null, string? uuid = null)
    {
        CheckName(name);
        CheckUuid(uuid ?? "");
        uint taken = TakeMinor(minor);
        MappedDevice device = new(this, name, uuid ?? "", new DeviceNumber(Major, taken));
        try
        {
            lock (_lock)
            {
                ThrowIfNameTaken(name);
                ThrowIfUuidTaken(device.Uuid);
                _byName.Add(name, device);
                _byMinor.Add(taken, device);
                if (device.Uuid.Length > 0)
                {
                    _byUuid.Add(device.Uuid, device);
                }
            }
        }
        catch
        {
            _minors.Free(taken);
            throw;
        }

        RaiseEvent();
        return device;
    }

    /// <summary>Makes a mapped device with a table, and resumes it: all, or nothing.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="table">Its table's text; see <see cref="TableParser"/>.</param>
    /// <param name="mode">How its table devices are opened.</param>
    /// <param name="uuid">Its uuid, or none.</param>
    public MappedDevice Create(string name, string table, DeviceMode mode = DeviceMode.ReadWrite, string? uuid = null)
    {
        MappedDevice device = Create(name, minor: null, uuid);
        try
        {
            device.LoadTable(table, mode);
            device.Resume();
            return device;
        }
        catch
        {
            Remove(device);
            throw;
        }
    }

    /// <summary>Renames a device (DM_DEV_RENAME).</summary>
    /// <exception cref="DmException">EINVAL: a bad name; EBUSY: it is taken; ENXIO: the device is gone.</exception>
    public void Rename(MappedDevice device, string newName)
    {
        CheckName(newName);
        string oldName;
        lock (_lock)
        {
            ThrowIfGone(device);
            ThrowIfNameTaken(newName);
            oldName = device.Name;
            _byName.Remove(oldName);
            _byName.Add(newName, device);
            device.Name = newName;
        }

        NotifyRenamed(device, oldName);
        RaiseRenamed(device);
    }

    /// <summary>Gives a uuid to a device that has none (DM_DEV_RENAME with DM_UUID_FLAG).</summary>
    /// <exception cref="DmException">EINVAL: a bad uuid, or it has one; EBUSY: it is taken; ENXIO: the device is gone.</exception>
    public void SetUuid(MappedDevice device, string uuid)
    {
        CheckUuid(uuid);
        if (uuid.Length == 0)
        {
            throw new DmException(Errno.EINVAL, "the uuid is empty");
        }

        lock (_lock)
        {
            ThrowIfGone(device);
            ThrowIfUuidTaken(uuid);
            if (device.Uuid.Length > 0)
            {
                throw new DmException(Errno.EINVAL, $"'{device.Name}' has the uuid '{device.Uuid}' already");
            }

            device.Uuid = uuid;
            _byUuid.Add(uuid, device);
        }

        RaiseRenamed(device);
    }

    /// <summary>Removes a device (DM_DEV_REMOVE).</summary>
    /// <returns>False where it is open and was only marked for removal.</returns>
    /// <exception cref="DmException">EBUSY: it is open, and <paramref name="deferred"/> was not asked for. ENXIO: it is already being removed.</exception>
    public bool Remove(MappedDevice device, bool deferred = false)
    {
        bool wasOpen = device.HandleCount > 0; // asked first: the last close may arrive between the refusal and the question
        Errno? refusal = LockForRemoval(device, false);
        if (refusal == Errno.EBUSY && (deferred || wasOpen))
        {
            SettleExports();
            refusal = LockForRemoval(device, deferred);
            if (refusal == Errno.EBUSY && deferred)
            {
                return false;
            }
        }

        switch (refusal)
        {
            case Errno.EBUSY:
                throw new DmException(Errno.EBUSY, $"'{device.Name}' is {UsersOf(device)}");
            case Errno.ENXIO:
                throw new DmException(Errno.ENXIO, $"'{device.Name}' is already being removed");
        }

        RemoveLocked(device);
        return true;
    }

    /// <summary>Removes all devices that are not open, until none is left that can be (DM_REMOVE_ALL).</summary>
    /// <param name="deferred">Marks those that are open for removal on their last close.</param>
    /// <returns>How many are left.</returns>
    public int RemoveAll(bool deferred = false)
    {
        SettleExports();
        bool progress = true;
        while (progress)
        {
            progress = false;
            foreach (MappedDevice device in Devices)
            {
                if (LockForRemoval(device, deferred) is null)
                {
                    RemoveLocked(device);
                    progress = true;
                }
            }
        }

        return Devices.Count;
    }

    /// <summary>Removes everything; bios that wait end with EIO.</summary>
    public void Dispose()
    {
        RemoveAll();
        foreach (MappedDevice device in Devices)
        {
            device.Abort();
        }

        RemoveAll();
        _events.End();
    }

    internal void RaiseEvent() => _events.Raise();

    /// <summary>The last close of a device that is marked for deferred removal.</summary>
    internal void RemoveAfterLastClose(MappedDevice device)
    {
        if (LockForRemoval(device, false, onlyMarked: true) is null)
        {
            Logger.DeferredRemoved(device.Name);
            RemoveLocked(device);
        }
    }

    private void RemoveLocked(MappedDevice device)
    {
        lock (_lock)
        {
            _byName.Remove(device.Name);
            _byMinor.Remove(device.Number.Minor);
            if (device.Uuid.Length > 0)
            {
                _byUuid.Remove(device.Uuid);
            }
        }

        NotifyVanished(device);
        device.Destroy();
        _minors.Free(device.Number.Minor);
        RaiseEvent();
    }

    /// <summary>A new name or uuid is an event of the device only where it has a live table, as in the kernel's <c>dm_hash_rename</c>.</summary>
    private void RaiseRenamed(MappedDevice device)
    {
        if (device.Status().ActivePresent)
        {
            device.RaiseEvent();
        }
        else
        {
            RaiseEvent();
        }
    }

    /// <summary>Who has a device open, for people.</summary>
    private string UsersOf(MappedDevice device)
    {
        IReadOnlyList<MappedDevice> holders = HoldersOf(device.Number);
        string names = string.Join(", ", holders.Select(h => $"'{h.Name}'"));
        int others = device.HandleCount - holders.Count;
        if (others <= 0 && holders.Count == 0 && _exports.Select(e => e.UserOf(device)).FirstOrDefault(user => user is not null) is { } user)
        {
            return user;
        }

        string handles = others == 1 ? "one open file handle" : $"{others} open file handles";
        string waits = device.IsSuspended ? $"; it is suspended, and I/O to it waits for 'udm resume {device.Name}'" : "";
        return others <= 0 && holders.Count > 0 ? $"used by {names}"
            : holders.Count > 0 ? $"used by {names} and {handles}{waits}"
            : $"in use by {handles}{waits}";
    }

    /// <summary>A refusal is ENXIO, as the kernel's <c>dm_create</c> has it whatever is wrong with the minor.</summary>
    private uint TakeMinor(uint? wish)
    {
        try
        {
            return wish is { } minor ? _minors.Take(minor) : _minors.Take();
        }
        catch (DmException e)
        {
            throw new DmException(Errno.ENXIO, e.Message, e);
        }
    }

    /// <summary>Refuses what cannot be the name of a device (the kernel's <c>check_name</c>).</summary>
    /// <exception cref="DmException">EINVAL: it is empty or too long, has a slash, or is <c>control</c>, <c>.</c> or <c>..</c>.</exception>
    public static void CheckName(string name)
    {
        if (name.Length == 0)
        {
            throw new DmException(Errno.EINVAL, "the name is empty");
        }

        if (System.Text.Encoding.UTF8.GetByteCount(name) > MaxNameLength)
        {
            throw new DmException(Errno.EINVAL, $"the name '{name}' is longer than {MaxNameLength} bytes");
        }

        if (name.Contains('/') || name is "control" or "." or "..")
        {
            throw new DmException(Errno.EINVAL, $"'{name}' is not a name for a device: no slash, and not 'control', '.' or '..'");
        }
    }

    private static void CheckUuid(string uuid)
    {
        if (System.Text.Encoding.UTF8.GetByteCount(uuid) > MaxUuidLength)
        {
            throw new DmException(Errno.EINVAL, $"the uuid '{uuid}' is longer than {MaxUuidLength} bytes");
        }
    }

    private void ThrowIfGone(MappedDevice device)
    {
        if (!_byMinor.TryGetValue(device.Number.Minor, out MappedDevice? there) || there != device)
        {
            throw new DmException(Errno.ENXIO, $"'{device.Name}' has been removed");
        }
    }

    private void ThrowIfNameTaken(string name)
    {
        if (_byName.ContainsKey(name))
        {
            throw new DmException(Errno.EBUSY, $"the name '{name}' is taken");
        }
    }

    private void ThrowIfUuidTaken(string uuid)
    {
        if (uuid.Length > 0 && _byUuid.TryGetValue(uuid, out MappedDevice? device))
        {
            throw new DmException(Errno.EBUSY, $"the uuid '{uuid}' is that of '{device.Name}'");
        }
    }
}
