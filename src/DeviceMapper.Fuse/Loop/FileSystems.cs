using System.Globalization;
using DeviceMapper.Fuse.Mounting;
using DeviceMapper.Fuse.Native;
using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Fuse.Loop;

/// <summary>The file systems that are mounted from a block device: where they are, and how they are frozen (the kernel's <c>bdev_freeze</c>).</summary>
internal static class FileSystems
{
    private const int RealDeviceOffset = 128; // of stx_rdev_major in struct statx

    /// <summary>A folder of each file system that is mounted from a block device, in any mount namespace that can be seen.</summary>
    public static IReadOnlyList<string> On(DeviceNumber device)
    {
        Dictionary<DeviceNumber, string> found = [];
        foreach ((string root, string table) in Namespaces())
        {
            foreach (MountEntry mount in MountTable.Parse(Lines(table)))
            {
                if (mount.Number == device || IsNode(mount.Source, device))
                {
                    found.TryAdd(mount.Number, root + mount.Folder);
                }
            }
        }

        return [.. found.Values];
    }

    /// <summary>Writes out what a file system has not yet written, and stops all changes of it.</summary>
    /// <param name="folder">Where it is mounted.</param>
    /// <param name="frozen">The folder, open: what <see cref="Thaw(Descriptor)"/> takes.</param>
    /// <returns>Whether it is frozen by this call. A file system that cannot be frozen is written out.</returns>
    /// <exception cref="DmException">It fails to.</exception>
    public static bool Freeze(string folder, out Descriptor frozen)
    {
        Errno error = Descriptor.TryOpen(folder, LibC.O_RDONLY, out frozen);
        if (error != Errno.None)
        {
            return false; // unmounted meanwhile
        }

        error = frozen.Ioctl(LoopIoctl.Freeze);
        if (error == Errno.None)
        {
            return true;
        }

        if (error == Errno.EOPNOTSUPP)
        {
            _ = LibC.SyncFileSystem(frozen.Number);
        }

        frozen.Dispose();
        return error is Errno.EOPNOTSUPP or Errno.EBUSY // frozen by somebody else, who will thaw it
            ? false
            : throw new DmException(error, $"the file system on {folder} cannot be frozen");
    }

    /// <summary>Lets changes go on.</summary>
    public static void Thaw(Descriptor frozen)
    {
        _ = frozen.Ioctl(LoopIoctl.Thaw);
        frozen.Dispose();
    }

    /// <summary>Lets changes go on, if it is frozen.</summary>
    public static void Thaw(string folder)
    {
        if (Descriptor.TryOpen(folder, LibC.O_RDONLY, out Descriptor open) == Errno.None)
        {
            Thaw(open);
        }
    }

    /// <summary>The mount namespaces: what stands before a path of each, and its table of mounts; our own first.</summary>
    private static IEnumerable<(string Root, string Table)> Namespaces()
    {
        yield return ("", "/proc/self/mountinfo");
        HashSet<string?> seen = [new FileInfo("/proc/self/ns/mnt").LinkTarget];
        foreach (string process in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(process), NumberStyles.None, CultureInfo.InvariantCulture, out _) && seen.Add(NamespaceOf(process)))
            {
                yield return ($"{process}/root", $"{process}/mountinfo");
            }
        }
    }

    private static string? NamespaceOf(string process)
    {
        try
        {
            return new FileInfo($"{process}/ns/mnt").LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // it has ended, or is not ours to look at
        }
    }

    private static IEnumerable<string> Lines(string file)
    {
        try
        {
            return File.ReadAllLines(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Whether a path in /dev is a block device of a number: file systems on several devices have a number of their own.</summary>
    private static unsafe bool IsNode(string path, DeviceNumber device)
    {
        byte* status = stackalloc byte[256];
        return path.StartsWith("/dev/", StringComparison.Ordinal)
            && LibC.StatX(LibC.AT_FDCWD, path, 0, LibC.STATX_BASIC_STATS, status) == 0
            && new DeviceNumber(*(uint*)(status + RealDeviceOffset), *(uint*)(status + RealDeviceOffset + sizeof(uint))) == device;
    }
}
