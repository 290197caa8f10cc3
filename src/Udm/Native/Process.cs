using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Udm.Native;

/// <summary>This process, as the kernel sees it.</summary>
internal static partial class Process
{
    /// <summary>The effective user id.</summary>
    public static uint UserId => geteuid();

    /// <summary>Ends the process without any clean-up.</summary>
    [DoesNotReturn]
    public static void ExitAtOnce(int status)
    {
        _exit(status);
        throw new InvalidOperationException("The process was ended.");
    }

    [LibraryImport("libc")]
    private static partial uint geteuid();

    [LibraryImport("libc")]
    private static partial void _exit(int status);
}
