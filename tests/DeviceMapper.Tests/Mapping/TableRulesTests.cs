using System.Diagnostics;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Mapping;

/// <summary>Which tables may be loaded and which made live, and what a refusal says.</summary>
public sealed class TableRulesTests : IDisposable
{
    private readonly TestRegistry _registry = new();
    private readonly MappedDevice _m;

    public TableRulesTests()
    {
        _registry.Add("a");
        _registry.Add("b");
        _m = _registry.Registry.Create("m");
    }

    public void Dispose() => _registry.Dispose();

    [Theory]
    [InlineData("", "the table has no targets")]
    [InlineData("# nothing\n\n", "the table has no targets")]
    [InlineData("0 0 linear a 0", "linear: length: '0' is not a positive number of sectors")]
    [InlineData("1 10 linear a 0", "linear: start: '1' leaves a gap: 0 was expected")]
    [InlineData("0 10 linear a 0\n11 10 linear a 0", "line 2: linear: start: '11' leaves a gap: 10 was expected")]
    [InlineData("0 10 linear a 0\n9 10 linear a 0", "line 2: linear: start: '9' leaves an overlap: 10 was expected")]
    [InlineData("10 10 linear a 0\n0 10 linear a 0", "line 1: linear: start: '10' leaves a gap: 0 was expected")]
    [InlineData("0 18014398509481984 zero", "zero: start 0 and length 18014398509481984 reach beyond the largest device, 18014398509481983 sectors")]
    [InlineData("0 10 zero\n10 18446744073709551615 zero", "line 2: zero: start 10 and length 18446744073709551615 reach beyond the largest device, 18014398509481983 sectors")]
    [InlineData("0 10 singleton s\n10 10 zero", "line 2: singleton: this target must be the only one of its table")]
    [InlineData("0 10 zero\n10 10 singleton s", "line 2: singleton: this target must be the only one of its table")]
    [InlineData("0 10 immutable s\n10 10 zero", "line 2: zero: immutable and zero may not be mixed in a table")]
    [InlineData("0 10 zero\n10 10 immutable s", "line 2: immutable: zero and immutable may not be mixed in a table")]
    [InlineData("0 10 linear /dev/mapper/m 0", "linear: argument 1 (device): '/dev/mapper/m' is the device that the table is for")]
    public void What_the_kernel_refuses_is_refused_with_a_sentence(string table, string sentence)
    {
        DmException refusal = Assert.Throws<DmException>(() => _m.LoadTable(table));
        Assert.Equal((Errno.EINVAL, sentence), (refusal.Errno, refusal.Message));
        Assert.False(_m.Status().InactivePresent);
    }

    [Fact]
    public void An_unknown_target_type_is_refused_with_those_that_there_are()
    {
        DmException refusal = Assert.Throws<DmException>(() => _m.LoadTable("0 10 lineal a 0"));
        Assert.Equal(Errno.EINVAL, refusal.Errno);
        Assert.StartsWith("'lineal' is not a target type that udm knows: ", refusal.Message);
        Assert.Contains("linear", refusal.Message);
    }

    [Fact]
    public void Several_targets_of_one_immutable_type_may_be_in_a_table()
    {
        _m.LoadTable("0 10 immutable s\n10 10 immutable t");
    }

    [Fact]
    public void An_immutable_target_is_replaced_only_by_its_own_type_or_a_wildcard()
    {
        MappedDevice n = _registry.Create("n", "0 10 immutable s a 0");
        foreach (string table in new[] { "0 10 linear a 0", "0 10 immutable2 s a 0", "0 10 singleton s a 0" })
        {
            Assert.Contains("cannot replace immutable", Assert.Throws<DmException>(() => n.LoadTable(table)).Message);
        }

        TestRegistry.Swap(n, "0 20 immutable s a 0");
        TestRegistry.Swap(n, "0 20 wildcard s a 0");
        TestRegistry.Swap(n, "0 20 linear a 0");
    }

    [Fact]
    public void A_target_that_must_write_is_not_part_of_a_read_only_table()
    {
        DmException refusal = Assert.Throws<DmException>(() => _m.LoadTable("0 10 writeable s a 0", DeviceMode.ReadOnly));
        Assert.Equal((Errno.EINVAL, "writeable: this target may not be part of a read-only table"), (refusal.Errno, refusal.Message));
        _m.LoadTable("0 10 writeable s a 0");
    }

    [Fact]
    public void Sizes_are_checked_at_the_load_of_the_first_table_and_at_the_swap_of_later_ones()
    {
        Assert.Throws<DmException>(() => _m.LoadTable("0 10 linear a 0\n10 10 linear a 1020"));
        Assert.False(_m.Status().InactivePresent);
        _m.LoadTable("0 10 linear a 0");
        Assert.Equal(
            ["line 2: linear: 'a' has 1024 sectors, too few for 10 from sector 1020; the resume will be refused"],
            _m.LoadTable("0 10 linear a 0\n10 10 linear a 1020"));
        Assert.True(_m.Status().InactivePresent);
        Assert.Throws<DmException>(() => _m.Resume());
        Assert.False(_m.Status().InactivePresent);
    }

    [Fact]
    public void Messages_go_to_the_target_of_their_sector()
    {
        _registry.Script("s").Message = words => $"s got {string.Join('+', words)}";
        _registry.Script("t").Message = _ => null;
        TestRegistry.Swap(_m, "0 10 test s a 0\n10 10 test t a 0\n20 10 linear a 0");
        Assert.Equal("s got hello+you there", _m.Message(new Sector(9), "hello  you\\ there"));
        Assert.Null(_m.Message(new Sector(10), "hello"));
        Assert.Equal("linear: this target takes no messages", Assert.Throws<DmException>(() => _m.Message(new Sector(29), "hello")).Message);
        Assert.Equal(Errno.EINVAL, Assert.Throws<DmException>(() => _m.Message(new Sector(30), "hello")).Errno);
        Assert.Equal(Errno.EINVAL, Assert.Throws<DmException>(() => _m.Message(default, "  ")).Errno);
        Assert.Equal(Errno.EINVAL, Assert.Throws<DmException>(() => _registry.Registry.Create("n").Message(default, "hello")).Errno);
    }

    [Fact]
    public void Dependencies_come_latest_first_and_each_once()
    {
        TestRegistry.Swap(_m, "0 10 linear a 0\n10 10 linear b 0\n20 10 linear a 10");
        Assert.Equal(["b", "a"], _m.Dependencies().Select(d => d.Name));
        Assert.Empty(_m.Dependencies(inactive: true));
        Assert.Empty(_registry.Registry.Create("n").Dependencies());
    }

    [Fact]
    public void A_table_of_a_hundred_thousand_targets_loads_and_finds_each()
    {
        const int Count = 100_000;
        _registry.Add("big", Count);
        List<TableLine> lines = [];
        for (ulong i = 0; i < Count; i++)
        {
            lines.Add(new TableLine(new Sector(i), new SectorCount(1), "linear", $"big {Count - 1 - i}"));
        }

        long start = Stopwatch.GetTimestamp();
        _m.LoadTable(lines);
        _m.Resume();
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(10), "loading is not linear any more"); // the promise is 1 s
        byte[] data = new byte[Sector.Size];
        Random random = new(1);
        for (int i = 0; i < 2000; i++)
        {
            ulong sector = i % 2 == 0 ? (ulong)random.Next(Count) : (ulong)i;
            BitConverter.TryWriteBytes(data, sector);
            Assert.Equal(BioStatus.Ok, TestBio.Write(_m, sector, data));
            Assert.Equal(sector, BitConverter.ToUInt64(_registry["big"].Sectors(Count - 1 - sector, 1)));
        }

        Assert.Equal((new SectorCount(1), Count - 1), _m.TargetAt(new Sector(Count - 1)));
        Assert.Equal(Count, _m.TableTexts(arguments: true).Count);
    }

    [Fact]
    public void A_reload_of_a_table_with_a_thousand_shared_devices_opens_none()
    {
        List<TableLine> lines = [];
        for (ulong i = 0; i < 1000; i++)
        {
            _registry.Add($"d{i}", 8);
            lines.Add(new TableLine(new Sector(i), new SectorCount(1), "linear", $"d{i} 0"));
        }

        _m.LoadTable(lines);
        _m.Resume();
        long start = Stopwatch.GetTimestamp();
        _m.LoadTable(lines);
        _m.Resume();
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(1), "a reload looks at every device for each"); // the promise is 5 ms
        Assert.All(_registry.Devices.Where(d => d.Name[0] == 'd'), d => Assert.Equal((1, 1), (d.TotalOpens, d.OpenNow)));
    }
}
