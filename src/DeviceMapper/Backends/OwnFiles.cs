using System.Globalization;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Backends;

/// <summary>
/// Recognises what the registry's own folder shows, whatever path leads to it: a file in its mount, or a loop device on such a file, is
/// the mapped device, and is never opened through the kernel.
/// </summary>
internal sealed class OwnFiles(DeviceRegistry registry, MapperPaths paths)
{
    private const uint UnnamedMajor = 0; // of file systems that lie on no block device
    private const ulong FirstInode = 2; // of minor 0, in the mount

    /// <summary>The mapped device that a file is, by the number of its file system and its inode.</summary>
    public MappedDevice? Find(DeviceNumber fileSystem, ulong inode) =>
        fileSystem.Major == UnnamedMajor && inode >= FirstInode && inode - FirstInode <= DeviceNumber.MaxMinor && fileSystem == MountedFileSystem()
            ? registry.FindByNumber(new DeviceNumber(registry.Major, (uint)(inode - FirstInode)))
            : null;

    /// <summary>The mapped device below a loop device.</summary>
    /// <exception cref="DmException">EINVAL: the loop device, or a partition of it, shows only a part of a mapped device.</exception>
    public MappedDevice? FindBehindLoop(DeviceNumber number)
    {
        if (paths.OwnFolder is not { } folder)
        {
            return null;
        }

        string sys = $"/sys/dev/block/{number}";
        bool partition = File.Exists($"{sys}/partition");
        string disk = partition ? $"{sys}/.." : sys;
        if (!BackingFile(disk).StartsWith(folder + "/", StringComparison.Ordinal))
        {
            return null;
        }

        // The path may be of a name that the device no longer has: the inode tells. Only a loop device on our own file is opened for it.
        LoopInfo info = default;
        if (BlockDeviceNodes.Find(NumberOf(disk) ?? number) is not { } node || OpenFile.TryOpen(node, LibC.O_RDONLY, out OpenFile? loop) != Errno.None)
        {
            return null;
        }

        using (loop)
        {
            if (loop!.Ioctl(BlockIoctl.LoopStatus, ref info) != Errno.None)
            {
                return null; // detached meanwhile
            }
        }

        MappedDevice? device = Find(DeviceNumber.Decode(info.FileSystem), info.Inode);
        return device is not null && (partition || info.Offset != 0 || info.SizeLimit != 0)
            ? throw new DmException(Errno.EINVAL, $"the block device {number} is a part of the mapped device '{device.Name}': name that, and where the part starts")
            : device;
    }

    private static string BackingFile(string disk)
    {
        string file = $"{disk}/loop/backing_file";
        try
        {
            return File.Exists(file) ? File.ReadAllText(file).TrimEnd('\n') : ""; // only loop devices that are in use have it
        }
        catch (IOException)
        {
            return ""; // detached meanwhile
        }
    }

    private static DeviceNumber? NumberOf(string disk) =>
        DeviceNumber.TryParse(File.ReadAllText($"{disk}/dev").TrimEnd('\n'), out DeviceNumber number) ? number : null;

    /// <summary>The number of the file system that is mounted on the registry's folder.</summary>
    private DeviceNumber? MountedFileSystem()
    {
        if (paths.OwnFolder is not { } folder)
        {
            return null;
        }

        // "36 35 0:45 / /run/udm/mapper rw,... - fuse udm rw": the third is the number, the fifth the folder; the last mount counts.
        DeviceNumber? found = null;
        foreach (string line in File.ReadLines("/proc/self/mountinfo"))
        {
            string[] fields = line.Split(' ', 6);
            if (fields.Length == 6 && Unescape(fields[4]) == folder && DeviceNumber.TryParse(fields[2], out DeviceNumber number))
            {
                found = number;
            }
        }

        return found;
    }

    /// <summary>Undoes \040 and the like.</summary>
    private static string Unescape(string text)
    {
        int backslash = text.IndexOf('\\');
        while (backslash >= 0 && backslash + 3 < text.Length)
        {
            char c = (char)(((text[backslash + 1] - '0') << 6) | ((text[backslash + 2] - '0') << 3) | (text[backslash + 3] - '0'));
            text = string.Concat(text.AsSpan(0, backslash), c.ToString(CultureInfo.InvariantCulture), text.AsSpan(backslash + 4));
            backslash = text.IndexOf('\\', backslash + 1);
        }

        return text;
    }
}
