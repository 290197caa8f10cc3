using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Backends;

/// <summary>The tables on the pages of the backends work.</summary>
public sealed class BackendPagesTests
{
    private static readonly Pages _pages = new("backends");

    public static TheoryData<string, int> Tables => _pages.Tables();

    [Theory, MemberData(nameof(Tables))]
    public void A_table_on_a_page_loads_and_reads(string page, int index)
    {
        using TestFolder folder = new();
        using DeviceRegistry registry = new();
        MappedDevice device = registry.Create("example", _pages.TablesOf(page)[index].Replace("file:", $"file:{folder.Path}/"));
        Assert.Equal(BioStatus.Ok, TestBio.Read(device, 0, new byte[4096]));
    }

    [Fact]
    public void Each_kind_of_device_has_a_page() => Assert.Equal(["block-device", "file", "mapped-device", "memory"], _pages.Names);
}
