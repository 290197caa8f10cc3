using System.Text;
using Udm.Verbs;

namespace Udm.Daemon;

/// <summary>
/// A file of devices: dmsetup's concise format, or sections of <c>[NAME]</c>, with <c>uuid=UUID</c>, <c>minor=N</c> and <c>ro</c> behind the
/// name where they are wanted, each followed by the lines of its table. Lines that start with <c>#</c> are comments.
/// </summary>
internal static class DeviceFile
{
    /// <summary>Reads a file.</summary>
    /// <exception cref="VerbException">It cannot be read, or understood; the sentence names the line.</exception>
    public static IReadOnlyList<ConciseDevice> Read(string file)
    {
        IReadOnlyList<FileDevice> devices = Parse(TextFile.Read(file), (line, sentence) => throw new VerbException($"{file}: {(line is null ? "" : $"line {line}: ")}{sentence}"));
        return devices.Count > 0 ? [.. devices.Select(d => d.Device)] : throw new VerbException($"{file}: no device is in it");
    }

    /// <summary>Reads the devices of a text, past what cannot be understood.</summary>
    /// <param name="text">The text.</param>
    /// <param name="refused">Told the line, from 1, where it is known, and what is wrong with it.</param>
    public static IReadOnlyList<FileDevice> Parse(string text, Action<int?, string> refused)
    {
        string[] lines = [.. text.Split('\n').Select(line => line.Trim())];
        List<FileDevice> devices = IsSections(lines) ? Sections(lines, refused) : Concise(lines, refused);
        HashSet<string> names = [];
        foreach (FileDevice device in devices)
        {
            if (!names.Add(device.Device.Name))
            {
                refused(device.Line, $"'{device.Device.Name}' is there twice");
            }
        }

        return devices;
    }

    private static bool IsSections(string[] lines) => lines.FirstOrDefault(line => line.Length > 0 && line[0] != '#') is ['[', ..];

    private static List<FileDevice> Concise(string[] lines, Action<int?, string> refused)
    {
        List<FileDevice> devices = [];
        foreach (string text in ConciseFormat.Split(string.Concat(lines.Where(line => !line.StartsWith('#')))))
        {
            try
            {
                devices.AddRange(ConciseFormat.Parse(text).Select(device => new FileDevice(device, null)));
            }
            catch (VerbException e)
            {
                refused(null, e.Message);
            }
        }

        return devices;
    }

    // A device's table keeps its comments and empty lines, so that its lines count from the header on.
    private static List<FileDevice> Sections(string[] lines, Action<int?, string> refused)
    {
        List<FileDevice> devices = [];
        StringBuilder table = new();
        for (int i = 0; i < lines.Length; i++)
        {
            if (!lines[i].StartsWith('['))
            {
                table.Append(lines[i]).Append('\n');
                continue;
            }

            End();
            devices.Add(new FileDevice(Header(lines[i], sentence => refused(i + 1, sentence)), i + 1));
        }

        End();
        return devices;

        void End()
        {
            if (devices.Count > 0)
            {
                devices[^1] = devices[^1] with { Device = devices[^1].Device with { Table = table.ToString() } };
            }

            table.Clear();
        }
    }

    private static ConciseDevice Header(string line, Action<string> refused)
    {
        string[] words = line.EndsWith(']') ? line[1..^1].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) : [];
        if (words.Length == 0)
        {
            refused($"'{line}' is not '[NAME]'");
            words = [line];
        }

        ConciseDevice device = new(words[0], "", null, false, "");
        foreach (string word in words[1..])
        {
            switch (word.Split('=', 2))
            {
                case ["ro"]:
                    device = device with { ReadOnly = true };
                    break;
                case ["uuid", { Length: > 0 } uuid]:
                    device = device with { Uuid = uuid };
                    break;
                case ["minor", var minor] when uint.TryParse(minor, out uint number):
                    device = device with { Minor = number };
                    break;
                default:
                    refused($"'{word}' is none of ro, uuid=UUID and minor=N");
                    break;
            }
        }

        return device;
    }
}

/// <summary>A device of a file.</summary>
/// <param name="Device">The device.</param>
/// <param name="Line">The line before the first of its table, from 1; null where its table is not a line a target.</param>
internal sealed record FileDevice(ConciseDevice Device, int? Line);
