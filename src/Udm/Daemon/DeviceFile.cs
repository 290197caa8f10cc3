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
        string text;
        try
        {
            text = File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new VerbException($"'{file}' cannot be read: {(File.Exists(file) ? e.Message : "there is no such file")}");
        }

        IReadOnlyList<ConciseDevice> devices = Parse(text, file);
        string? twice = devices.GroupBy(d => d.Name).FirstOrDefault(g => g.Count() > 1)?.Key;
        return twice is null ? devices : throw new VerbException($"{file}: '{twice}' is there twice");
    }

    private static IReadOnlyList<ConciseDevice> Parse(string text, string file)
    {
        string[] lines = [.. text.Split('\n').Select(line => line.Trim())];
        string? first = lines.FirstOrDefault(line => line.Length > 0 && line[0] != '#');
        return first is null ? throw new VerbException($"{file}: no device is in it")
            : first[0] == '[' ? Sections(lines, file)
            : [.. ConciseFormat.Parse(string.Concat(lines.Where(line => !line.StartsWith('#'))))];
    }

    private static List<ConciseDevice> Sections(string[] lines, string file)
    {
        List<ConciseDevice> devices = [];
        StringBuilder table = new();
        ConciseDevice? current = null;
        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i];
            if (line.StartsWith('['))
            {
                End();
                current = Header(line, $"{file}: line {i + 1}");
            }
            else if (line.Length > 0 && line[0] != '#')
            {
                table.Append(line).Append('\n');
            }
        }

        End();
        return devices;

        void End()
        {
            if (current is not null)
            {
                devices.Add(current with { Table = table.ToString() });
                table.Clear();
            }
        }
    }

    private static ConciseDevice Header(string line, string where)
    {
        string[] words = line.EndsWith(']') ? line[1..^1].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) : [];
        if (words.Length == 0)
        {
            throw new VerbException($"{where}: '{line}' is not '[NAME]'");
        }

        ConciseDevice device = new(words[0], "", null, false, "");
        foreach (string word in words[1..])
        {
            device = word.Split('=', 2) switch
            {
                ["ro"] => device with { ReadOnly = true },
                ["uuid", { Length: > 0 } uuid] => device with { Uuid = uuid },
                ["minor", var minor] when uint.TryParse(minor, out uint number) => device with { Minor = number },
                _ => throw new VerbException($"{where}: '{word}' is none of ro, uuid=UUID and minor=N"),
            };
        }

        return device;
    }
}
