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
}
