using System.Text.RegularExpressions;

namespace Udm.Run;

/// <summary>The files of /proc that tell of devices, with mapped devices in the place of their loop devices.</summary>
internal sealed partial class ProcTexts(MappedDevices devices)
{
    private const string MiscLine = "236 device-mapper\n";

    /// <summary>The text of a file; null where it is the kernel's.</summary>
    /// <param name="path">Absolute.</param>
    public string? Find(string path) => path switch
    {
        "/proc/devices" => Devices(),
        "/proc/misc" => Misc(),
        "/proc/partitions" or "/proc/diskstats" => Replace(path, (text, block, device) =>
            NumberedLine(block.Number.Minor).Replace(text, $"{device.Number.Major,4}{device.Number.Minor,8}$1dm-{device.Number.Minor}")),
        "/proc/swaps" => Replace(path, (text, block, device) => text.Replace(block.Node + " ", $"/dev/dm-{device.Number.Minor} ")),
        _ when MountTable().IsMatch(path) => Replace(path, (text, block, device) =>
            text.Replace($" {block.Number} ", $" {device.Number} ").Replace(block.Node + " ", $"/dev/mapper/{device.Name} ")),
        _ => null,
    };

    /// <summary>With our major, which lvm wants to find there.</summary>
    private string Devices()
    {
        string text = File.ReadAllText("/proc/devices");
        return text.Contains(" device-mapper\n", StringComparison.Ordinal) ? text : $"{text}{devices.Major,3} device-mapper\n";
    }

    private static string Misc()
    {
        string text = File.ReadAllText("/proc/misc");
        return text.Contains(MiscLine, StringComparison.Ordinal) ? text : MiscLine + text;
    }

    private string? Replace(string path, Func<string, LoopBlock, SeenFile.Device, string> replace)
    {
        IReadOnlyList<LoopBlock> blocks = devices.Blocks();
        if (blocks.Count == 0)
        {
            return null;
        }

        string text = File.ReadAllText(path);
        foreach (LoopBlock block in blocks)
        {
            if (devices.Named(block.Name) is { } device)
            {
                text = replace(text, block, device);
            }
        }

        return text;
    }

    /// <summary>A line of a loop device in /proc/partitions or /proc/diskstats; what is between its number and its name is kept.</summary>
    private static Regex NumberedLine(uint minor) => new($@"^ *7 +{minor}( (?:.* )?)loop{minor}\b", RegexOptions.Multiline);

    [GeneratedRegex(@"^/proc/\d+/(mounts|mountinfo|mountstats)$")]
    private static partial Regex MountTable();
}
