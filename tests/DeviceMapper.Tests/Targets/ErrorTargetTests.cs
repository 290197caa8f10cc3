using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Targets;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

public sealed class ErrorTargetTests : TargetConformance
{
    protected override string Table => "0 1000 error";

    protected override IEnumerable<string> BadTables => ["0 10 error a x", "0 10 error a -1"];

    protected override BioStatus ReadStatus => BioStatus.IoError;

    protected override BioStatus WriteStatus => BioStatus.IoError;

    protected override bool NeedsItsDevices => false;

    protected override IEnumerable<string> FlushReaches(TestRegistry registry) => [];

    protected override void AddDevices(TestRegistry registry) => registry.Add("a");

    [Fact]
    public void A_device_is_held_and_gives_its_limits_but_gets_no_I_O_and_is_not_printed()
    {
        using TestRegistry registry = NewRegistry();
        registry["a"].Limits = registry["a"].Limits with { LogicalBlockSize = 4096, PhysicalBlockSize = 4096 };
        MappedDevice m = registry.Create("m", "0 64 error a 8");
        Assert.Equal(["a"], m.Dependencies().Select(d => d.Name));
        Assert.Equal(1, registry["a"].OpenNow);
        Assert.Equal(4096u, m.Limits.LogicalBlockSize);
        Assert.Equal(BioStatus.Invalid, TestBio.Do(m, BioOperation.Read, 1, 1));
        Assert.Equal(BioStatus.IoError, TestBio.Do(m, BioOperation.Read, 0, 8));
        Assert.Equal(BioStatus.IoError, TestBio.Do(m, BioOperation.Discard, 0, 8));
        Assert.Equal(BioStatus.Ok, TestBio.Flush(m));
        Assert.Empty(registry["a"].Seen);
        Assert.Equal("0 64 error", TestRegistry.TableOf(m));
    }

    [Theory]
    [InlineData("0 64 error x")]
    [InlineData("0 64 error a 0 1")]
    [InlineData("0 64 error 1 2 3 4 5")]
    public void Any_other_number_of_arguments_than_two_is_ignored(string table)
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice m = registry.Create("m", table);
        Assert.Empty(m.Dependencies());
        Assert.Equal(BioStatus.IoError, TestBio.Do(m, BioOperation.Read, 0, 1));
    }

    [Fact]
    public void A_missing_device_gives_its_errno()
    {
        using TestRegistry registry = NewRegistry();
        Assert.Equal(Errno.ENOENT, Assert.Throws<DmException>(() => registry.Create("m", "0 64 error nosuch 0")).Errno);
    }

    [Fact]
    public void In_the_middle_of_a_table_only_its_own_sectors_fail()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice m = registry.Create("m", "0 16 linear a 0\n16 16 error\n32 32 linear a 32");
        byte[] data = new byte[16 * Sector.Size];
        new Random(1).NextBytes(data);
        Assert.Equal(BioStatus.Ok, TestBio.Write(m, 0, data));
        Assert.Equal(BioStatus.IoError, TestBio.Write(m, 16, data));
        Assert.Equal(BioStatus.Ok, TestBio.Write(m, 32, data));
        Assert.Equal(BioStatus.IoError, TestBio.Do(m, BioOperation.Read, 15, 2));
        Assert.Equal(BioStatus.IoError, TestBio.Do(m, BioOperation.Read, 0, 64));
        Assert.Equal(data, TestBio.Read(m, 0, 16));
    }

    [Fact]
    public void It_may_replace_an_immutable_target()
    {
        Assert.True(ErrorTarget.Definition.Has(TargetFeatures.Wildcard));
        using TestRegistry registry = NewRegistry();
        MappedDevice m = registry.Create("m", "0 10 immutable s a 0");
        Assert.Throws<DmException>(() => m.LoadTable("0 10 linear a 0"));
        TestRegistry.Swap(m, Table);
    }
}
