using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Backends;

/// <summary>Finds a path by which the block device of a number can be opened.</summary>
internal static class BlockDeviceNodes
{
    /// <summary>The node of a number in /dev; null where there is no such device, or no node.</summary>
    public static string? Find(DeviceNumber number)
    {
        string byNumber = $"/dev/block/{number}";
        if (IsNode(byNumber, number))
        {
            return byNumber;
        }

        return NameInSys(number) is { } name && IsNode($"/dev/{name}", number) ? $"/dev/{name}" : null;
    }

    /// <summary>Whether a path leads to a block device, and to this one.</summary>
    public static bool IsNode(string path, DeviceNumber number) =>
        FileStatus.TryGet(path, out FileStatus status) == Errno.None && status.Kind == FileKind.BlockDevice && status.Device == number;

    private static string? NameInSys(DeviceNumber number)
    {
        const string Key = "DEVNAME=";
        try
        {
            string? line = File.ReadLines($"/sys/dev/block/{number}/uevent").FirstOrDefault(l => l.StartsWith(Key, StringComparison.Ordinal));
            return line?[Key.Length..];
        }
        catch (IOException)
        {
            return null; // no such device
        }
    }
}
