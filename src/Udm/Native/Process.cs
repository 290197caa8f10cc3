using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Udm.Native;

/// <summary>This process, as the kernel sees it.</summary>
internal static partial class Process
{
    private const int SetIoFlusher = 57, SetChildSubreaper = 36; // PR_SET_*
    private const int GetFlags = 1, SetFlags = 2, CloseOnExec = 1; // F_GETFD, F_SETFD, FD_CLOEXEC
    private const int FirstOwn = 3, CloseOnExecFlag = 0x80000, ReadWrite = 2; // the first after the standard streams; O_CLOEXEC, O_RDWR

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

    /// <summary>From now on this process is the parent of its children's orphans.</summary>
    public static void AdoptOrphans() => _ = prctl(SetChildSubreaper, 1, 0, 0, 0);

    /// <summary>Keeps a descriptor that was inherited from being inherited further.</summary>
    public static void KeepFromChildren(SafeHandle handle) => _ = fcntl((int)handle.DangerousGetHandle(), SetFlags, CloseOnExec);

    /// <summary>Lets go of the terminal, the folder, and all that was inherited: the process goes on in the background.</summary>
    public static void Detach()
    {
        _ = setsid();
        Directory.SetCurrentDirectory("/");
        string?[] streams = [.. Enumerable.Range(0, FirstOwn).Select(Opened)];
        int nothing = open("/dev/null", ReadWrite | CloseOnExecFlag);
        foreach (string entry in Directory.GetFileSystemEntries("/proc/self/fd"))
        {
            int descriptor = int.Parse(Path.GetFileName(entry), CultureInfo.InvariantCulture);
            if (Opened(descriptor) is { } opened && streams.Contains(opened))
            {
                _ = dup2(nothing, descriptor); // also the console's own copies of the streams
            }
            else if (fcntl(descriptor, GetFlags, 0) == 0)
            {
                _ = close(descriptor); // whatever is our own is closed on exec
            }
        }
    }

    private static string? Opened(int descriptor) => new FileInfo($"/proc/self/fd/{descriptor}").LinkTarget;

    [LibraryImport("libc")]
    private static partial int prctl(int option, nuint argument2, nuint argument3, nuint argument4, nuint argument5);

    [LibraryImport("libc")]
    private static partial int setsid();

    [LibraryImport("libc")]
    private static partial int fcntl(int descriptor, int command, int argument);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc")]
    private static partial int dup2(int old, int descriptor);

    [LibraryImport("libc")]
    private static partial int close(int descriptor);

    [LibraryImport("libc")]
    private static partial uint geteuid();

    [LibraryImport("libc")]
    private static partial void _exit(int status);
}
