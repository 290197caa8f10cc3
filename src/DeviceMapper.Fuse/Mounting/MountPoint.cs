using System.Runtime.InteropServices;
using DeviceMapper.Fuse.Native;
using DeviceMapper.Native;

namespace DeviceMapper.Fuse.Mounting;

/// <summary>A folder where a FUSE file system is mounted, and how it is unmounted.</summary>
/// <param name="Folder">An absolute path.</param>
/// <param name="ByFusermount">Whether fusermount3 mounted it, and has to unmount it.</param>
internal sealed record MountPoint(string Folder, bool ByFusermount)
{
    private const string Type = "fuse.udm";
    private const string Device = "/dev/fuse";

    /// <summary>Mounts on a folder, which is made if it is missing, after what a killed daemon left there is cleaned up.</summary>
    /// <param name="folder">An absolute path.</param>
    /// <param name="byFusermount">Asks for fusermount3; else it is used only by who may not mount.</param>
    /// <returns>The mount, and a descriptor of /dev/fuse that does not block.</returns>
    /// <exception cref="DmException">It cannot be; the sentence says what is missing.</exception>
    public static (MountPoint Mount, int Descriptor) Mount(string folder, bool byFusermount = false)
    {
        if (!File.Exists(Device))
        {
            throw new DmException(Errno.ENODEV, $"{Device} is missing (modprobe fuse)");
        }

        UnmountStale(folder);
        Directory.CreateDirectory(folder);
        if (LibC.EffectiveUser() == 0 && !byFusermount && MountDirectly(folder) is { } descriptor)
        {
            return (new MountPoint(folder, ByFusermount: false), descriptor);
        }

        return (new MountPoint(folder, ByFusermount: true), Fusermount.Mount(folder));
    }

    /// <summary>Unmounts, lazily: who has a file open keeps it, as long as somebody serves it.</summary>
    public void Unmount()
    {
        if (!ByFusermount)
        {
            _ = LibC.Unmount(Folder, LibC.MNT_DETACH); // EINVAL: somebody else has unmounted it
        }
        else if (IsMounted)
        {
            Fusermount.Unmount(Folder);
        }
    }

    /// <summary>The options of both ways: who may open which file is the kernel's to check, by owner and permissions.</summary>
    public static string Options => "default_permissions";

    private bool IsMounted => MountTable.MountsOn(Folder).Any(entry => entry.Type == Type);

    /// <summary>
    /// The path of a folder as the kernel tells of it, without symbolic links. The folder itself is not looked at: it may be
    /// the mount of a daemon that is gone.
    /// </summary>
    public static unsafe string Resolve(string folder)
    {
        const int LongestPath = 4096;
        string path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        string parent = Path.GetDirectoryName(path) ?? "/";
        Directory.CreateDirectory(parent);
        byte* resolved = stackalloc byte[LongestPath];
        return LibC.RealPath(parent, resolved) == 0
            ? throw new DmException(Errnos.Last, $"{parent} cannot be used")
            : Path.Join(Marshal.PtrToStringUTF8((nint)resolved), Path.GetFileName(path));
    }

    private static int? MountDirectly(string folder)
    {
        int descriptor = LibC.Open(Device, LibC.O_RDWR | LibC.O_NONBLOCK | LibC.O_CLOEXEC);
        if (descriptor < 0)
        {
            throw new DmException(Errnos.Last, $"{Device} cannot be opened");
        }

        // Who gets in despite the run folder's permissions may use what he owns, or has been given.
        string data = $"fd={descriptor},rootmode=40000,user_id={LibC.EffectiveUser()},group_id={LibC.EffectiveGroup()},allow_other,{Options}";
        if (LibC.Mount("udm", folder, Type, LibC.MS_NOSUID | LibC.MS_NODEV | LibC.MS_NOATIME, data) == 0)
        {
            return descriptor;
        }

        Errno error = Errnos.Last;
        _ = LibC.Close(descriptor);
        return error == Errno.EPERM // root in a container, without CAP_SYS_ADMIN
            ? null
            : throw new DmException(error, $"cannot mount a FUSE file system on {folder}");
    }

    private static void UnmountStale(string folder)
    {
        foreach (MountEntry stale in MountTable.MountsOn(folder).Where(entry => entry.Type == Type).Reverse())
        {
            // Ends the waits of who still has files of it open. The kernel does so by itself when the daemon dies, unless a child keeps /dev/fuse open.
            FuseControl.Abort(stale.Number.Minor);
            if (LibC.Unmount(folder, LibC.MNT_DETACH) < 0)
            {
                Fusermount.Unmount(folder);
            }
        }
    }
}
