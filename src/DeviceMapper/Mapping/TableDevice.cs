using DeviceMapper.Backends;
using DeviceMapper.Io;

namespace DeviceMapper.Mapping;

/// <summary>
/// A device that a mapped device's tables use, open once for each mode, however many tables and targets use it
/// (the kernel's <c>struct table_device</c>).
/// </summary>
public sealed class TableDevice
{
    internal TableDevice(DeviceIdentity identity, DeviceMode mode, string name, Claim claim, Backend backend)
    {
        Identity = identity;
        Mode = mode;
        Name = name;
        Claim = claim;
        Backend = backend;
    }

    /// <summary>Which device it is.</summary>
    public DeviceIdentity Identity { get; }

    /// <summary>How it is open. Never changes: another mode is another table device.</summary>
    public DeviceMode Mode { get; }

    /// <summary>Its name in table lines: <c>major:minor</c>, or a path or URI.</summary>
    public string Name { get; }

    /// <summary>Its number: its own, or one under this process's second major.</summary>
    public DeviceNumber Number => Claim.Number;

    /// <summary>The open device, with a descriptor of its own.</summary>
    public Backend Backend { get; }

    /// <summary>The device mapper's claim, which it shares.</summary>
    internal Claim Claim { get; }
}
