namespace DeviceMapper.Mapping;

/// <summary>
/// A front end that shows mapped devices to others (FUSE, NBD). Each call returns when the change can be seen from outside, so that
/// a verb that has returned has happened. Calls come one at a time for one mapped device, with no lock of the data path held.
/// </summary>
public interface IDeviceExport
{
    /// <summary>The first resume: the device is there.</summary>
    void Appeared(MappedDevice device);

    /// <summary>It has a new name.</summary>
    void Renamed(MappedDevice device, string oldName);

    /// <summary>A swap changed its size or whether it is read-only.</summary>
    void Changed(MappedDevice device);

    /// <summary>It is removed; nobody has it open.</summary>
    void Vanished(MappedDevice device);

    /// <summary>Makes sure that closes which have returned to their callers are counted: before a refusal with EBUSY.</summary>
    void Settle();

    /// <summary>Whether somebody uses it in a way that opens of the device do not tell of: one more in its open count.</summary>
    bool IsInUse(MappedDevice device) => false;

    /// <summary>Who that is, for people: <c>mounted on '/mnt', as /dev/loop3</c>; null where it does not show the device.</summary>
    string? UserOf(MappedDevice device) => null;

    /// <summary>The device is to be removed: whatever the front end itself has open of it is closed.</summary>
    /// <param name="device">The device.</param>
    /// <param name="whenUnused">Where somebody still uses it: close it when he does not any more, without being asked again.</param>
    /// <returns>False where somebody still uses it.</returns>
    bool LetGo(MappedDevice device, bool whenUnused) => true;

    /// <summary>A suspend that locks file systems: what stands on the device is brought into a consistent state, and stays so until <see cref="Thaw"/>.</summary>
    /// <exception cref="DmException">That fails; nothing is frozen.</exception>
    void Freeze(MappedDevice device)
    {
    }

    /// <summary>It is resumed, or the suspend has failed.</summary>
    void Thaw(MappedDevice device)
    {
    }
}
