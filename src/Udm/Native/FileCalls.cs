using System.Runtime.InteropServices;
using System.Text;
using DeviceMapper.Native;

namespace Udm.Native;

/// <summary>System calls on a file by its path: questions, answered in the kernel's own structs, and swap.</summary>
internal static unsafe partial class FileCalls
{
    /// <summary>Bytes of a <c>struct statfs</c> of x86-64.</summary>
    public const int FileSystemSize = 120;

    private const int AtFdCwd = -100, PathMax = 4096;
    private const nint SysNewFStatAt = 262; // of x86-64

    /// <summary>Fills in a <c>struct stat</c> of x86-64.</summary>
    /// <param name="path">The file.</param>
    /// <param name="flags"><c>AT_*</c> flags.</param>
    /// <param name="status">144 bytes.</param>
    public static Errno Stat(string path, int flags, Span<byte> status)
    {
        fixed (byte* bytes = status)
        {
            return syscall(SysNewFStatAt, AtFdCwd, path, bytes, flags) == 0 ? Errno.None : Errnos.Last;
        }
    }

    /// <summary>Fills in a <c>struct statx</c>.</summary>
    /// <param name="path">The file.</param>
    /// <param name="flags"><c>AT_*</c> flags.</param>
    /// <param name="mask">What is asked for, <c>STATX_*</c>.</param>
    /// <param name="status">256 bytes.</param>
    public static Errno StatX(string path, int flags, uint mask, Span<byte> status)
    {
        fixed (byte* bytes = status)
        {
            return statx(AtFdCwd, path, flags, mask, bytes) == 0 ? Errno.None : Errnos.Last;
        }
    }

    /// <summary>Fills in a <c>struct statfs</c> of x86-64.</summary>
    /// <param name="path">A file on the file system.</param>
    /// <param name="status">120 bytes.</param>
    public static Errno StatFs(string path, Span<byte> status)
    {
        fixed (byte* bytes = status)
        {
            return statfs(path, bytes) == 0 ? Errno.None : Errnos.Last;
        }
    }

    /// <summary>Whether this process may use a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="mode"><c>R_OK</c> and the like.</param>
    public static Errno Access(string path, int mode) => faccessat(AtFdCwd, path, mode, 0) == 0 ? Errno.None : Errnos.Last;

    /// <summary>Whether there is a file of a path.</summary>
    public static bool IsThere(string path) => faccessat(AtFdCwd, path, 0, 0) == 0;

    /// <summary>Where a symbolic link leads, as it is written in it; null where it cannot be told, as of a file that is none.</summary>
    public static string? LinkTarget(string path)
    {
        byte* bytes = stackalloc byte[PathMax];
        nint length = readlink(path, bytes, PathMax);
        return length < 0 ? null : Encoding.UTF8.GetString(bytes, (int)length);
    }

    /// <summary>Gives a file to another user or group; null keeps the one that it has.</summary>
    public static Errno ChangeOwner(string path, uint? user, uint? group) =>
        chown(path, user ?? uint.MaxValue, group ?? uint.MaxValue) == 0 ? Errno.None : Errnos.Last;

    /// <summary>Swaps to a block device.</summary>
    /// <param name="path">Its node.</param>
    /// <param name="flags"><c>SWAP_FLAG_*</c>.</param>
    public static Errno SwapOn(string path, int flags) => swapon(path, flags) == 0 ? Errno.None : Errnos.Last;

    /// <summary>Swaps to it no more; takes as long as it takes to read what is on it.</summary>
    public static Errno SwapOff(string path) => swapoff(path) == 0 ? Errno.None : Errnos.Last;

    /// <summary>Zeroes a range of a file, by bytes.</summary>
    public static Errno Zero(string path, long start, long length)
    {
        int descriptor = Seccomp.Open(path, 0x80001); // O_WRONLY, O_CLOEXEC
        if (descriptor < 0)
        {
            return (Errno)(-descriptor);
        }

        Errno result = fallocate(descriptor, 0x11, start, length) == 0 ? Errno.None : Errnos.Last; // ZERO_RANGE, KEEP_SIZE
        Seccomp.Close(descriptor);
        return result;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fallocate(int descriptor, int mode, long start, long length);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint syscall(nint number, nint directory, string path, byte* status, nint flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int directory, string path, int flags, uint mask, byte* status);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statfs(string path, byte* status);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int faccessat(int directory, string path, int mode, int flags);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint readlink(string path, byte* target, nint size);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int chown(string path, uint user, uint group);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int swapon(string path, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int swapoff(string path);
}
