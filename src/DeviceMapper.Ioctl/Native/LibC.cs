using System.Runtime.InteropServices;

namespace DeviceMapper.Ioctl;

/// <summary>The C library's calls that .NET has no name for.</summary>
internal static partial class LibC
{
    /// <summary>Sets the bits that new files do not get; returns those before.</summary>
    [LibraryImport("libc")]
    public static partial uint umask(uint mask);

    /// <summary>The effective user id.</summary>
    [LibraryImport("libc")]
    public static partial uint geteuid();
}
