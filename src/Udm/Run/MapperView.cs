using System.Text;
using DeviceMapper;
using DeviceMapper.Io;
using DeviceMapper.Ioctl;
using DeviceMapper.Native;
using Udm.Daemon;

namespace Udm.Run;

/// <summary>What a path is inside <c>udm run</c>, where it is something else than outside.</summary>
internal abstract record SeenFile
{
    /// <summary>The control node.</summary>
    public sealed record Control : SeenFile;

    /// <summary>A mapped device's block device.</summary>
    /// <param name="Name">The mapped device.</param>
    /// <param name="Number">Its number, as the ioctls tell it.</param>
    public sealed record Device(string Name, DeviceNumber Number) : SeenFile;

    /// <summary>A file of which only the text is different.</summary>
    public sealed record Text(string Contents) : SeenFile;

    /// <summary>Nothing is there.</summary>
    public sealed record Absent : SeenFile;
}

/// <summary>The device mapper's files as the kernel would have them: <c>/dev/mapper</c>, <c>/dev/dm-N</c>, and two of <c>/proc</c>.</summary>
/// <remarks>
/// Nodes are there as long as their devices are: a program that makes, renames or removes one finds that it has happened already.
/// </remarks>
internal sealed class MapperView(RunFolder folder, ControlClients clients)
{
    private const string MapperFolder = "/dev/mapper/", NumberedNode = "/dev/dm-";
    private const int MostLinks = 40; // as the kernel's

    private readonly uint _major = FindMajor(clients);

    /// <summary>What an absolute path is; null where it is what it is outside too.</summary>
    /// <param name="path">Without <c>.</c> and <c>..</c>.</param>
    /// <param name="follow">Whether a symbolic link at its end is followed.</param>
    public SeenFile? Find(string path, bool follow)
    {
        for (int links = 0; links < MostLinks; links++)
        {
            if (FindHere(path) is { } seen)
            {
                return seen;
            }

            string? target = follow ? Target(path) : null;
            if (target is null)
            {
                return null;
            }

            path = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path) ?? "/", target));
        }

        return null;
    }

    /// <summary>Where a device's data is: its block device where it has one, else its file.</summary>
    public string DataOf(SeenFile.Device device) => clients.Use(client =>
    {
        try
        {
            return client.Ask("block", "show", device.Name).Trim('\n').Split('\t')[2];
        }
        catch (DmException e) when (e.Errno is Errno.ENXIO or Errno.EPERM or Errno.EOPNOTSUPP)
        {
            return Path.Combine(folder.Mapper, device.Name);
        }
    });

    /// <summary>The device whose data an open file is: what <see cref="DataOf"/> named once.</summary>
    /// <param name="opened">The open file's path, by /proc.</param>
    public SeenFile.Device? OfData(string opened)
    {
        if (IsDeviceFile(opened))
        {
            return Named(opened[(folder.Mapper.Length + 1)..]);
        }

        if (!opened.StartsWith("/dev/loop", StringComparison.Ordinal))
        {
            return null;
        }

        try
        {
            string blocks = clients.Use(client => client.Ask("block", "ls"));
            string? line = blocks.Split('\n').FirstOrDefault(l => l.EndsWith('\t' + opened, StringComparison.Ordinal));
            return line is null ? null : Named(line.Split('\t')[0]);
        }
        catch (DmException)
        {
            return null; // a daemon without block devices
        }
    }

    /// <summary>Whether an open file is a device's file, which knows nothing of block devices' ioctls.</summary>
    public bool IsDeviceFile(string opened) => opened.StartsWith(folder.Mapper + "/", StringComparison.Ordinal);

    private SeenFile? FindHere(string path) => path switch
    {
        "/dev/mapper/control" => new SeenFile.Control(),
        "/proc/devices" => new SeenFile.Text(Devices()),
        "/proc/misc" => new SeenFile.Text("236 device-mapper\n" + File.ReadAllText(path)),

        // No udev looks at these devices: without this file libdm waits for none.
        "/run/udev/control" => new SeenFile.Absent(),
        _ when path.StartsWith(MapperFolder, StringComparison.Ordinal) => Named(path[MapperFolder.Length..]) ?? (SeenFile)new SeenFile.Absent(),
        _ when path.StartsWith(NumberedNode, StringComparison.Ordinal) =>
            uint.TryParse(path.AsSpan(NumberedNode.Length), out uint minor) && minor <= DeviceNumber.MaxMinor
                ? Status(new DmIoctl { Device = new DeviceNumber(_major, minor) }) ?? (SeenFile)new SeenFile.Absent()
                : null,
        _ => null,
    };

    private SeenFile.Device? Named(string name) =>
        name.Length == 0 || name.Contains('/') || Encoding.UTF8.GetByteCount(name) > DmIoctl.MaxNameLength ? null : Status(new DmIoctl { Name = name });

    private SeenFile.Device? Status(DmIoctl question)
    {
        try
        {
            DmIoctl answer = clients.Use(client => client.Call(DmCommand.DevStatus, question)).Ioctl;
            return new SeenFile.Device(answer.Name, answer.Device);
        }
        catch (DmException)
        {
            return null;
        }
    }

    /// <summary>/proc/devices with our major, which lvm wants to find there.</summary>
    private string Devices()
    {
        string text = File.ReadAllText("/proc/devices");
        return text.Contains(" device-mapper\n", StringComparison.Ordinal) ? text : $"{text}{_major,3} device-mapper\n";
    }

    /// <summary>The major of mapped devices, by any question's answer: the daemon has one for all.</summary>
    private static uint FindMajor(ControlClients clients) => uint.Parse(clients.Use(client => client.Ask("major")));

    private static string? Target(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
