using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Udm.Native;

/// <summary>This process, as the kernel sees it.</summary>
internal static partial class Process
{
    private const int SetIoFlusher = 57; // PR_SET_IO_FLUSHER

    /// <summary>The effective user id.</summary>
    public static uint UserId => geteuid();

    /// <summary>Ends the process without any clean-up.</summary>
    [DoesNotReturn]
    public static void ExitAtOnce(int status)
    {
        _exit(status);
        throw new InvalidOperationException("The process was ended.");
    }

    /// <summary>
    /// From now on this thread, and those that it starts, never wait for dirty pages to be written while the kernel looks for memory for
    /// them: the pages may be those of our own block devices.
    /// </summary>
    /// <returns>False without CAP_SYS_RESOURCE: nothing happens.</returns>
    public static bool BeIoFlusher() => prctl(SetIoFlusher, 1, 0, 0, 0) == 0;

    [LibraryImport("libc")]
    private static partial int prctl(int option, nuint argument2, nuint argument3, nuint argument4, nuint argument5);

    [LibraryImport("libc")]
    private static partial uint geteuid();

    [LibraryImport("libc")]
    private static partial void _exit(int status);
}
