using System.Globalization;
using DeviceMapper.Io;
using DeviceMapper.Ioctl;
using Udm.Daemon;

namespace Udm.Run;

/// <summary>
/// The folders of /sys and /dev that tell of block devices, with mapped devices in them: each is made anew, as real files in a folder
/// of ours, when a program looks at it. So listing one and opens relative to it need no answers of ours.
/// </summary>
/// <remarks>
/// A mapped device with a loop device has that one's attributes, by symbolic links; others have the few that can be told. A loop device
/// of ours is in no list, but is found by its name and number.
/// </remarks>
internal sealed class SysTree : IDisposable
{
    private const string Prefix = "seen-"; // then our process's number
    private const string Sys = "/sys", Mapper = "/dev/mapper", Disks = "/devices/virtual/block", HoldersFolder = "/holders";
    private const int SectorSize = 512;
    private static readonly string[] Lists = ["/block", "/class/block", "/dev/block"];
    private static readonly string[] NotTheLoops = ["bdi", "dev", "uevent", "loop", "holders", "slaves", "subsystem", "partscan"];
    private static readonly string[] ReadAheads = ["/bdi/read_ahead_kb", "/queue/read_ahead_kb"];

    private readonly MappedDevices _devices;
    private readonly string _folder;
    private readonly Dictionary<string, string> _texts = []; // of the files that are written already
    private bool _made;

    /// <summary>Prepares; our folder is made when it is first needed.</summary>
    /// <param name="devices">The devices.</param>
    /// <param name="run">The daemon's folder, for ours.</param>
    public SysTree(MappedDevices devices, RunFolder run)
    {
        _devices = devices;
        _folder = Path.Combine(run.Path, $"{Prefix}{Environment.ProcessId}");
    }

    /// <summary>The path that one in our folder stands for; others are what they are.</summary>
    public string Official(string path) =>
        !IsInside(path) ? path
        : path[_folder.Length..] is var inside && inside.StartsWith(Mapper, StringComparison.Ordinal) ? inside
        : Sys + inside;

    /// <summary>What an open file is, by its path; null where it is not in our folder.</summary>
    public SeenFile.Elsewhere? Opened(string path) => IsInside(path) ? Ours(path[_folder.Length..]) : null;

    private bool IsInside(string path) => path.Length > _folder.Length && path[_folder.Length] == '/' && path.StartsWith(_folder, StringComparison.Ordinal);

    /// <summary>What takes the place of a path; null where it is what it is outside too.</summary>
    public SeenFile? Find(string path)
    {
        if (path == Mapper)
        {
            return ListMapper();
        }

        if (!path.StartsWith(Sys + "/", StringComparison.Ordinal))
        {
            return null;
        }

        string inside = path[Sys.Length..];
        if (Lists.Contains(inside))
        {
            return ListDisks(inside);
        }

        foreach (string list in Lists)
        {
            if (inside.StartsWith(list + "/", StringComparison.Ordinal))
            {
                string name = inside[(list.Length + 1)..].Split('/')[0];
                return Minor(name) is { } minor ? Disk(inside, minor, inside[(list.Length + 1 + name.Length)..]) : Holders(path);
            }
        }

        if (inside.StartsWith(Disks + "/dm-", StringComparison.Ordinal))
        {
            string name = inside[(Disks.Length + 1)..].Split('/')[0];
            return Minor(name) is { } minor ? Disk(inside, minor, inside[(Disks.Length + 1 + name.Length)..]) : null;
        }

        return Holders(path);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_made)
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    /// <summary>The minor of <c>dm-3</c> and <c>252:3</c>.</summary>
    private uint? Minor(string name) =>
        DeviceNumber.TryParse(name, out DeviceNumber number) && number.Major == _devices.Major ? number.Minor
        : name.StartsWith("dm-", StringComparison.Ordinal) && uint.TryParse(name.AsSpan(3), NumberStyles.None, CultureInfo.InvariantCulture, out uint minor) ? minor
        : null;

    private SeenFile.Elsewhere ListMapper()
    {
        Dictionary<string, string> links = _devices.All().Where(d => _devices.WithNode(d.Name) is not null).ToDictionary(d => d.Name, d => $"../dm-{d.Number.Minor}");
        links["control"] = "control";
        return List(Mapper, links);
    }

    private SeenFile.Elsewhere ListDisks(string list)
    {
        bool numbers = list == "/dev/block";
        HashSet<string> loops = [.. _devices.Blocks().Select(b => numbers ? b.Number.ToString() : Path.GetFileName(b.Node))];
        Dictionary<string, string> links = [];
        foreach (string entry in Directory.EnumerateFileSystemEntries(Sys + list).Where(e => !loops.Contains(Path.GetFileName(e))))
        {
            links[Path.GetFileName(entry)] = RealPath(entry);
        }

        foreach (ListedDevice device in _devices.All().Where(d => HasDisk(_devices.Status(new DmIoctl { Device = d.Number }))))
        {
            links[numbers ? device.Number.ToString() : DiskName(device.Number)] = LinkIn(list, device.Number);
        }

        return List(list, links);
    }

    /// <summary>A path in a device's folder.</summary>
    /// <param name="inside">The path below /sys.</param>
    /// <param name="minor">The device's.</param>
    /// <param name="rest">What comes after the device's folder, with its slash.</param>
    private SeenFile Disk(string inside, uint minor, string rest)
    {
        if (_devices.Numbered(minor) is not { } device || _devices.Status(new DmIoctl { Device = device.Number }) is not { } status
            || !HasDisk(status))
        {
            return new SeenFile.Absent();
        }

        string disk = $"{Disks}/{DiskName(device.Number)}";
        if (rest == HoldersFolder)
        {
            return List(disk + HoldersFolder, HolderLinks(device.Number, $"../../"));
        }

        if (rest == "/slaves")
        {
            return List(disk + "/slaves", _devices.Dependencies(device).Select(Slave).OfType<(string, string)>().ToDictionary());
        }

        WriteDisk(disk, device, status);
        if (!inside.StartsWith(Disks, StringComparison.Ordinal))
        {
            string link = inside[..^rest.Length];
            Link(_folder + link, LinkIn(Path.GetDirectoryName(link)!, device.Number));
        }

        return ReadAheads.Contains(rest) ? new SeenFile.ReadAhead(_folder + inside, Sys, device) : Ours(inside);
    }

    /// <summary>Whether a device has a table, or had one: before that the kernel has made no disk of it, and nothing in /sys.</summary>
    private static bool HasDisk(DmIoctl? status) => status?.ReadAhead is not null;

    private SeenFile.Elsewhere Ours(string inside) => new(_folder + inside, inside.StartsWith(Mapper, StringComparison.Ordinal) ? "/dev" : Sys);

    private void WriteDisk(string disk, SeenFile.Device device, DmIoctl status)
    {
        Make(disk + HoldersFolder);
        Make(disk + "/slaves");
        Write(disk, "dev", device.Number.ToString());
        Write(disk, "uevent", $"MAJOR={device.Number.Major}\nMINOR={device.Number.Minor}\nDEVNAME={DiskName(device.Number)}\nDEVTYPE=disk");
        Write(disk + "/dm", "name", device.Name);
        Write(disk + "/dm", "uuid", status.Uuid);
        Write(disk + "/dm", "suspended", status.Has(DmFlags.Suspend) ? "1" : "0");
        Write(disk + "/bdi", "read_ahead_kb", $"{status.ReadAhead / 2}");
        Link($"{_folder}{disk}/subsystem", $"../../../../class/block");
        if (_devices.BlockOf(device) is { } block)
        {
            foreach (string entry in Directory.EnumerateFileSystemEntries(RealPath($"{Sys}/dev/block/{block.Number}")))
            {
                if (!NotTheLoops.Contains(Path.GetFileName(entry)))
                {
                    Link($"{_folder}{disk}/{Path.GetFileName(entry)}", entry);
                }
            }

            return;
        }

        FileInfo file = new(_devices.FileOf(device));
        Write(disk, "size", $"{(file.Exists ? file.Length / SectorSize : 0)}");
        Write(disk, "ro", status.Has(DmFlags.ReadOnly) ? "1" : "0");
        Write(disk, "removable", "0");
        Write(disk + "/queue", "logical_block_size", $"{SectorSize}");
        Write(disk + "/queue", "physical_block_size", $"{SectorSize}");
        Write(disk + "/queue", "rotational", "0");
        Write(disk + "/queue", "read_ahead_kb", $"{status.ReadAhead / 2}");
    }

    /// <summary>The mapped devices that stand on a device of the kernel's, beside the kernel's own holders.</summary>
    private SeenFile.Elsewhere? Holders(string path)
    {
        if (!path.EndsWith(HoldersFolder, StringComparison.Ordinal)
            || !DeviceNumber.TryParse(TextOf(path[..^HoldersFolder.Length] + "/dev"), out DeviceNumber number))
        {
            return null;
        }

        Dictionary<string, string> links = HolderLinks(number, $"{_folder}{Disks}/");
        if (links.Count == 0)
        {
            return null;
        }

        foreach (string entry in Directory.EnumerateFileSystemEntries(path))
        {
            links[Path.GetFileName(entry)] = RealPath(entry);
        }

        return List($"/held/{number}{HoldersFolder}", links);
    }

    private Dictionary<string, string> HolderLinks(DeviceNumber number, string disks) =>
        _devices.Holders(number).ToDictionary(DiskName, holder => disks + DiskName(holder));

    private (string Name, string Link)? Slave(DeviceNumber number)
    {
        if (number.Major == _devices.Major)
        {
            return (DiskName(number), $"../../{DiskName(number)}");
        }

        string link = $"{Sys}/dev/block/{number}"; // a file or a server has no such thing
        return Directory.Exists(link) ? (Path.GetFileName(RealPath(link)), RealPath(link)) : null;
    }

    /// <summary>The symbolic link to a device's folder in one of the lists.</summary>
    private static string LinkIn(string list, DeviceNumber number) => $"{(list == "/block" ? ".." : "../..")}{Disks}/{DiskName(number)}";

    private static string DiskName(DeviceNumber number) => $"dm-{number.Minor}";

    /// <summary>Makes a folder of symbolic links as they have to be.</summary>
    private SeenFile.Elsewhere List(string path, Dictionary<string, string> links)
    {
        string list = Make(path);
        foreach (string entry in Directory.EnumerateFileSystemEntries(list).Where(e => !links.ContainsKey(Path.GetFileName(e))))
        {
            File.Delete(entry);
        }

        foreach ((string name, string target) in links)
        {
            Link($"{list}/{name}", target);
        }

        return Ours(path);
    }

    private static void Link(string path, string target)
    {
        FileInfo link = new(path);
        if (link.LinkTarget == target)
        {
            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.Delete(path);
        File.CreateSymbolicLink(path, target);
    }

    /// <summary>Makes a file as it has to be, in the place of the one that was: who has that open reads on in it.</summary>
    private void Write(string path, string name, string text)
    {
        string file = $"{_folder}{path}/{name}";
        if (_texts.GetValueOrDefault(file) != text)
        {
            string next = $"{Make(path)}/.next";
            File.WriteAllText(next, text + "\n");
            File.Move(next, file, overwrite: true);
            _texts[file] = text;
        }
    }

    private string Make(string path)
    {
        if (!_made)
        {
            RemoveLeft();
            Directory.CreateDirectory(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            _made = true;
        }

        return Directory.CreateDirectory(_folder + path).FullName;
    }

    /// <summary>Removes the folders of those that were killed.</summary>
    private void RemoveLeft()
    {
        foreach (string other in Directory.EnumerateDirectories(Path.GetDirectoryName(_folder)!, Prefix + "*"))
        {
            if (!Directory.Exists("/proc/" + Path.GetFileName(other)[Prefix.Length..]))
            {
                Directory.Delete(other, recursive: true);
            }
        }
    }

    private static string? TextOf(string path) => File.Exists(path) ? File.ReadAllText(path).TrimEnd('\n') : null;

    private static string RealPath(string path) => new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path;
}
