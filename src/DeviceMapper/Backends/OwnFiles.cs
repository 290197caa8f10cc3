using System.Globalization;
using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Backends;

/// <summary>
/// Recognises what the registry's own folder shows, whatever path leads to it: a file in its mount, or a loop device on such a file, is
/// the mapped device, and is never opened through the kernel.
/// </summary>
internal sealed class OwnFiles(DeviceRegistry registry)
{
    private const uint LoopMajor = 7;
    private const uint UnnamedMajor = 0; // of file systems that lie on no block device
    private const ulong FirstInode = 2; // of minor 0, in the mount

    /// <summary>The mapped device that a file is, by the number of its file system and its inode.</summary>
    public MappedDevice? Find(DeviceNumber fileSystem, ulong inode) =>
        fileSystem.Major == UnnamedMajor && inode >= FirstInode && inode - FirstInode <= DeviceNumber.MaxMinor && fileSystem == MountedFileSystem()
            ? registry.FindByNumber(new DeviceNumber(registry.Major, (uint)(inode - FirstInode)))
            : null;

    /// <summary>The mapped device below a loop device.</summary>
    public MappedDevice? FindBehindLoop(DeviceNumber number)
    {
        if (number.Major != LoopMajor || registry.Options.MapperFolder is not { } folder)
        {
            return null;
        }

        try
        {
            string file = File.ReadAllText($"/sys/dev/block/{number}/loop/backing_file").TrimEnd('\n');
            return file.StartsWith(folder + "/", StringComparison.Ordinal) ? registry.FindByName(file[(folder.Length + 1)..]) : null;
        }
        catch (IOException)
        {
            return null; // no file is behind it
        }
    }

    /// <summary>The number of the file system that is mounted on the registry's folder.</summary>
    private DeviceNumber? MountedFileSystem()
    {
        if (registry.Options.MapperFolder is not { } folder)
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
