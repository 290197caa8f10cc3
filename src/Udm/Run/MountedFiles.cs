using DeviceMapper.Io;

namespace Udm.Run;

/// <summary>
/// Files on a file system that is mounted from a mapped device: the number of that device, which stat(2) tells, is the loop device's to the
/// kernel, and the mapped device's to a program, as everywhere else. resize2fs compares the two.
/// </summary>
internal sealed class MountedFiles(MappedDevices devices)
{
    private const uint LoopMajor = 7;

    /// <summary>What the kernel tells of a file, with our number in it; null where there is nothing to change.</summary>
    /// <param name="call">The call.</param>
    /// <param name="path">The file, by <see cref="TracedCall.Reach"/>.</param>
    /// <param name="ask">Asks the kernel, for a <c>struct stat</c> or a <c>struct statx</c>.</param>
    public byte[]? Status(TracedCall call, string path, Func<string, byte[]?> ask) =>
        ask(path) is { } status && NodeStatus.FileSystem(status) is { Major: LoopMajor } loop && call.HasOurRights
            && devices.OfLoop($"/dev/loop{loop.Minor}") is { } device
            ? NodeStatus.WithFileSystem(status, device.Number)
            : null;
}
