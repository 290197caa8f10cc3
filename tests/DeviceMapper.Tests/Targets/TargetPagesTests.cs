using System.Text.RegularExpressions;
using DeviceMapper.Mapping;
using DeviceMapper.Targets;
using DeviceMapper.Tests.Backends;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

/// <summary>What the pages of the targets show works: each block marked <c>table</c> loads, is resumed, and says what it is.</summary>
public sealed partial class TargetPagesTests
{
    private static readonly string Pages = Path.Join(Root(), "docs", "targets");

    public static TheoryData<string, int> Tables
    {
        get
        {
            TheoryData<string, int> tables = [];
            foreach (string page in Directory.EnumerateFiles(Pages, "*.md").Order())
            {
                for (int i = 0; i < Block().Count(File.ReadAllText(page)); i++)
                {
                    tables.Add(Path.GetFileNameWithoutExtension(page), i);
                }
            }

            return tables;
        }
    }

    [Theory, MemberData(nameof(Tables))]
    public void A_table_on_a_page_loads(string target, int index)
    {
        using TestFolder folder = new();
        LogCollector log = new();
        using DeviceRegistry registry = new(new DeviceRegistryOptions { Logger = log });
        string text = Block().Matches(File.ReadAllText(Path.Join(Pages, $"{target}.md")))[index].Groups["table"].Value;
        MappedDevice device = registry.Create("example", text.Replace("file:", $"file:{folder.Path}/"));
        Assert.Contains(device.TableTexts(arguments: true), t => t.Type == target);
        Assert.Equal(TableParser.Parse(text).Count, device.TableTexts(arguments: false).Count);
        registry.Remove(device);
        Assert.DoesNotContain(log.Lines, l => l.StartsWith("Error", StringComparison.Ordinal));
    }

    [Fact]
    public void Each_page_is_that_of_a_target_and_shows_a_table()
    {
        string[] pages = [.. Directory.EnumerateFiles(Pages, "*.md").Select(p => Path.GetFileNameWithoutExtension(p)!)];
        Assert.Equal(TargetTypes.All.Select(t => t.Name).Order(StringComparer.Ordinal), pages.Order(StringComparer.Ordinal));
        Assert.All(pages, p => Assert.Contains("```table", File.ReadAllText(Path.Join(Pages, $"{p}.md"))));
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
