using DeviceMapper.Backends;
using DeviceMapper.Io;

namespace DeviceMapper.Mapping;

/// <summary>
/// A table's one reference to a table device, counting the targets that use it: what targets hold (the kernel's <c>struct dm_dev</c>
/// and <c>dm_dev_internal</c>).
/// </summary>
/// <remarks>
/// Targets ask it for <see cref="Device"/> for each bio instead of keeping that: when a later target of the same table
/// needs the device in a wider mode, the reference moves to the wider table device, and all its users with it.
/// </remarks>
public sealed class DeviceReference
{
    internal DeviceReference(TableDevice tableDevice, string name)
    {
        TableDevice = tableDevice;
        Device = tableDevice.Backend.Target;
        Name = name;
    }

    /// <summary>Where bios for it are sent: <c>bio.Device = reference.Device</c>.</summary>
    public BlockDevice Device { get; private set; }

    /// <summary>The name in table lines: <c>major:minor</c>, or a path or URI with blanks and backslashes escaped.</summary>
    public string Name { get; }

    /// <summary>Its number, as <c>deps</c> shows it.</summary>
    public DeviceNumber Number => TableDevice.Number;

    /// <summary>How it is open.</summary>
    public DeviceMode Mode => TableDevice.Mode;

    /// <summary>The open device.</summary>
    public Backend Backend => TableDevice.Backend;

    /// <summary>How many times targets of the table asked for it.</summary>
    public int Users { get; internal set; } = 1;

    /// <summary>The shared open that it refers to.</summary>
    internal TableDevice TableDevice { get; private set; }

    /// <summary>What the device below knows of its extents; see <see cref="Backend.ExtentAt"/>.</summary>
    public (SectorCount Length, bool Hole) ExtentAt(Sector start, SectorCount length) =>
        Device is MappedDevice mapped ? mapped.ExtentAt(start, length) : Backend.ExtentAt(start, length);

    /// <summary>Refers to a wider table device of the same device from now on.</summary>
    /// <returns>The one before, to be put.</returns>
    internal TableDevice MoveTo(TableDevice wider)
    {
        TableDevice before = TableDevice;
        TableDevice = wider;
        Device = wider.Backend.Target;
        return before;
    }
}
