using DeviceMapper.Io;
using DeviceMapper.Backends;
namespace DeviceMapper.Mapping;

/// <summary>
/// A table's one reference to a table device, counting the targets that use it: what targets hold (the kernel's <c>dm_dev</c>).
/// </summary>
public sealed class DeviceReference
{
    /// <summary>Where bios for it are sent: <c>bio.Device = reference.Device</c>, read anew for each bio, since a widening moves it.</summary>
    public BlockDevice Device => throw new NotImplementedException();
    /// <summary>The name in table lines: <c>major:minor</c>, or a path or URI, with blanks and backslashes escaped.</summary>
    public string Name => throw new NotImplementedException();
    /// <summary>Its number, as <c>deps</c> shows it.</summary>
    public DeviceNumber Number => throw new NotImplementedException();
    /// <summary>How it is open.</summary>
    public DeviceMode Mode => throw new NotImplementedException();
    /// <summary>The open device.</summary>
    public Backend Backend => throw new NotImplementedException();
}
