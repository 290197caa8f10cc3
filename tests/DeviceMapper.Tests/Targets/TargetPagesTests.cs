using DeviceMapper.Mapping;
using DeviceMapper.Targets;
using DeviceMapper.Tests.Backends;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

/// <summary>What the pages of the targets show works: each block marked <c>table</c> loads, is resumed, and says what it is.</summary>
public sealed class TargetPagesTests
{
    private static readonly Pages _pages = new("targets");

    public static TheoryData<string, int> Tables => _pages.Tables();

    [Theory, MemberData(nameof(Tables))]
    public void A_table_on_a_page_loads(string target, int index)
    {
        using TestFolder folder = new();
        LogCollector log = new();
        using DeviceRegistry registry = new(new DeviceRegistryOptions { Logger = log });
        string text = _pages.TablesOf(target)[index];
        DeviceMode mode = target == "verity" ? DeviceMode.ReadOnly : DeviceMode.ReadWrite; // that one takes no other
        if (text.Contains("/dev/mapper/pool", StringComparison.Ordinal))
        {
            MappedDevice pool = registry.Create("pool", _pages.TablesOf("thin-pool")[0].Replace("file:", $"file:{folder.Path}/"));
            pool.Message(default, "create_thin 0");
        }

        MappedDevice device = registry.Create("example", text.Replace("file:", $"file:{folder.Path}/"), mode);
        Assert.Contains(device.TableTexts(arguments: true), t => t.Type == target);
        Assert.Equal(TableParser.Parse(text).Count, device.TableTexts(arguments: false).Count);
        registry.Remove(device);
        Assert.DoesNotContain(log.Lines, l => l.StartsWith("Error", StringComparison.Ordinal));
    }

    [Fact]
    public void Each_page_is_that_of_a_target_and_shows_a_table()
    {
        Assert.Equal(TargetTypes.All.Select(t => t.Name).Order(StringComparer.Ordinal), _pages.Names);
        Assert.All(_pages.Names, p => Assert.NotEmpty(_pages.TablesOf(p)));
    }
}
