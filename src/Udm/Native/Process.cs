using System.Runtime.InteropServices;

namespace Udm.Native;

/// <summary>This process, as the kernel sees it.</summary>
internal static partial class Process
{
    /// <summary>The effective user id.</summary>
    public static uint UserId => geteuid();

    [LibraryImport("libc")]
    private static partial uint geteuid();
}
