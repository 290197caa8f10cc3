using System.Text.RegularExpressions;

namespace DeviceMapper.Tests.Infrastructure;

/// <summary>The pages of a folder of docs/, and the tables that they show: their blocks marked <c>table</c>.</summary>
public sealed partial class Pages(string folder)
{
    private readonly string _path = Path.Join(Root(), "docs", folder);

    /// <summary>Names of the pages, without their suffix.</summary>
    public IReadOnlyList<string> Names => [.. Directory.EnumerateFiles(_path, "*.md").Select(p => Path.GetFileNameWithoutExtension(p)!).Order(StringComparer.Ordinal)];

    /// <summary>The text of a page.</summary>
    public string Read(string page) => File.ReadAllText(Path.Join(_path, $"{page}.md"));

    /// <summary>The tables of a page.</summary>
    public IReadOnlyList<string> TablesOf(string page) => [.. Block().Matches(Read(page)).Select(m => m.Groups["table"].Value)];

    /// <summary>All tables: page, and place on it.</summary>
    public TheoryData<string, int> Tables()
    {
        TheoryData<string, int> tables = [];
        foreach (string page in Names)
        {
            for (int i = 0; i < TablesOf(page).Count; i++)
            {
                tables.Add(page, i);
            }
        }

        return tables;
    }

    private static string Root()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Join(folder, "udm.slnx")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException($"no folder above {AppContext.BaseDirectory} has udm.slnx");
    }

    [GeneratedRegex(@"^```table\n(?<table>.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Block();
}
