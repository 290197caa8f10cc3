using System.Globalization;
using DeviceMapper.Io;
using DeviceMapper.Native;
using Udm.Native;

namespace Udm.Run;

/// <summary>The device mapper's files as the kernel would have them: its nodes in /dev, and what /proc and /sys tell of its devices.</summary>
/// <remarks>
/// Nodes are there as long as their devices are: a program that makes, renames or removes one finds that it has happened already.
/// </remarks>
internal sealed class MapperView(MappedDevices devices, SysTree tree)
{
    /// <summary>The number of the control node.</summary>
    public static readonly DeviceNumber ControlNumber = new(10, 236);

    private const string MapperFolder = "/dev/mapper/", NumberedNode = "/dev/dm-", LoopNode = "/dev/loop";
    private const int MostLinks = 40; // as the kernel's
    private const int NoFollow = 0x100; // AT_SYMLINK_NOFOLLOW

    private readonly ProcTexts _texts = new(devices);

    /// <summary>What an absolute path is; null where it is what it is outside too.</summary>
    /// <param name="path">Without <c>.</c> and <c>..</c>.</param>
    /// <param name="follow">Whether a symbolic link at its end is followed; with a slash at its end it is in any case.</param>
    public SeenFile? Find(string path, bool follow)
    {
        follow |= path[^1] == '/';
        path = Path.TrimEndingDirectorySeparator(path);
        for (int links = 0; links < MostLinks; links++)
        {
            path = tree.Official(path);
            if (IsLoop(path) && devices.OfLoop(path) is { } device)
            {
                return links == 0 ? new SeenFile.Absent() : device; // by its own name it would be the same device a second time
            }

            if (FindHere(path) is { } seen)
            {
                return seen;
            }

            string? target = follow ? FileCalls.LinkTarget(path) : null;
            if (target is null)
            {
                return null;
            }

            path = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path) ?? "/", target));
        }

        return null;
    }

    /// <summary>What a node with a path of its own is, as programs make them in $DM_DEV_DIR: its number counts. Null where it is nothing of ours.</summary>
    /// <param name="path">The node.</param>
    /// <param name="follow">Whether it may be a symbolic link to one.</param>
    public SeenFile? OfNode(string path, bool follow)
    {
        Span<byte> status = stackalloc byte[NodeStatus.StatSize];
        return FileCalls.Stat(path, follow ? 0 : NoFollow, status) != Errno.None ? null
            : NodeStatus.Node(status) switch
            {
                (false, var number) when number == ControlNumber => new SeenFile.Control(),
                (true, var number) when number.Major == devices.Major => devices.Numbered(number.Minor),
                _ => null,
            };
    }

    /// <summary>Where a device's data is: its block device where it has one, else its file.</summary>
    public string DataOf(SeenFile.Device device) => devices.BlockOf(device)?.Node ?? devices.FileOf(device);

    /// <summary>What an open file is: a folder of ours, or the device whose data it is, as <see cref="DataOf"/> named it once.</summary>
    /// <param name="opened">The open file's path, by /proc.</param>
    public SeenFile? OfOpened(string opened) => tree.Opened(opened) ?? (SeenFile?)OfData(opened);

    private SeenFile.Device? OfData(string opened) => IsLoop(opened) ? devices.OfLoop(opened) : devices.OfFile(opened);

    private SeenFile? FindHere(string path) => path switch
    {
        "/dev/mapper/control" => new SeenFile.Control(),

        // No udev looks at these devices: without this file libdm waits for none.
        "/run/udev/control" => new SeenFile.Absent(),
        _ when path.StartsWith("/proc/", StringComparison.Ordinal) => _texts.Find(path) is { } text ? new SeenFile.Text(text) : null,
        _ when path.StartsWith(MapperFolder, StringComparison.Ordinal) => devices.WithNode(path[MapperFolder.Length..]) ?? (SeenFile)new SeenFile.Absent(),
        _ when path.StartsWith(NumberedNode, StringComparison.Ordinal) =>
            uint.TryParse(path.AsSpan(NumberedNode.Length), NumberStyles.None, CultureInfo.InvariantCulture, out uint minor) && minor <= DeviceNumber.MaxMinor
                ? devices.Numbered(minor) ?? (SeenFile)new SeenFile.Absent()
                : null,
        _ => tree.Find(path),
    };

    private static bool IsLoop(string path) => path.StartsWith(LoopNode, StringComparison.Ordinal) && path.Length > LoopNode.Length && char.IsAsciiDigit(path[^1]);
}
