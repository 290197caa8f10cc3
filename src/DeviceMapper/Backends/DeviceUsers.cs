using System.Globalization;
using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Backends;

/// <summary>Says who has a device that cannot be claimed, as far as the kernel tells this user.</summary>
public static class DeviceUsers
{
    /// <summary>Who has a block device for themselves: <c>mounted on '/home'</c>.</summary>
    internal static string OfBlockDevice(DeviceNumber number) =>
        Claimant(number) ?? (OpenedBy(number) is { } names ? $"claimed by somebody else; it is open in {names}" : "claimed by somebody else");

    /// <summary>Who has a block device open or for themselves: <c>mounted on '/home'</c>, <c>open in dd (process 17)</c>.</summary>
    public static string Of(DeviceNumber number) => Claimant(number) ?? (OpenedBy(number) is { } names ? $"open in {names}" : "open in some process");

    /// <summary>Whether a process that this user may look at has a block device open; not this one.</summary>
    public static bool HaveOpen(DeviceNumber number) => OpenedBy(number) is not null;

    /// <summary>Who has a file locked: <c>locked by qemu-system-x86 (process 17)</c>.</summary>
    internal static string OfFile(DeviceNumber fileSystem, ulong inode)
    {
        foreach ((int process, string descriptor) in OpenDescriptors())
        {
            if (FileStatus.TryGet($"/proc/{process}/fd/{descriptor}", out FileStatus status) == Errno.None
                && status.FileSystem == fileSystem
                && status.Inode == inode
                && Lines($"/proc/{process}/fdinfo/{descriptor}").Any(l => l.StartsWith("lock:", StringComparison.Ordinal)))
            {
                return $"locked by {NameOf(process)}";
            }
        }

        return "locked by somebody else";
    }

    private static string? Claimant(DeviceNumber number) => Mounted(number) ?? Swap(number) ?? Stacked(number);

    private static string? Mounted(DeviceNumber number)
    {
        // "36 35 98:0 / /mnt rw ...": the third is the number, the fifth the folder.
        string[]? mount = Lines("/proc/self/mountinfo").Select(l => l.Split(' ', 6)).FirstOrDefault(f => f.Length == 6 && f[2] == number.ToString());
        return mount is null ? null : $"mounted on '{mount[4]}'";
    }

    private static string? Swap(DeviceNumber number) =>
        Lines("/proc/swaps").Skip(1).Any(l => BlockDeviceNodes.IsNode(l.Split(' ')[0], number)) ? "in use as swap space" : null;

    /// <summary>Devices of md or the kernel's device mapper that stand on it.</summary>
    private static string? Stacked(DeviceNumber number)
    {
        try
        {
            string[] holders = [.. Directory.EnumerateFileSystemEntries($"/sys/dev/block/{number}/holders").Select(Path.GetFileName).Order()!];
            return holders.Length == 0 ? null : $"in use by {string.Join(", ", holders)}";
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>The processes that have it open. The kernel does not tell whether that is for themselves.</summary>
    private static string? OpenedBy(DeviceNumber number)
    {
        string[] names =
        [
            .. OpenDescriptors()
                .Where(d => d.Process != Environment.ProcessId && BlockDeviceNodes.IsNode($"/proc/{d.Process}/fd/{d.Descriptor}", number))
                .Select(d => NameOf(d.Process))
                .Distinct(),
        ];
        return names.Length == 0 ? null : string.Join(", ", names);
    }

    /// <summary>The descriptors of all processes that this user may look at.</summary>
    private static IEnumerable<(int Process, string Descriptor)> OpenDescriptors()
    {
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int process))
            {
                continue;
            }

            string[] descriptors;
            try
            {
                descriptors = Directory.GetFileSystemEntries($"{folder}/fd");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                continue; // it has ended, or is another user's
            }

            foreach (string descriptor in descriptors)
            {
                yield return (process, Path.GetFileName(descriptor));
            }
        }
    }

    private static string NameOf(int process) =>
        Lines($"/proc/{process}/comm").FirstOrDefault() is { } name ? $"{name} (process {process})" : $"process {process}";

    private static string[] Lines(string file)
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
}
