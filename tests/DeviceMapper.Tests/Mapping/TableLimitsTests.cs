using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Mapping;

/// <summary>The limits of a table, and the tables that they forbid (the kernel's dm_calculate_queue_limits).</summary>
public sealed class TableLimitsTests : IDisposable
{
    private readonly TestRegistry _registry = new();

    public TableLimitsTests()
    {
        _registry.Add("a", 1024);
        _registry.Add("k", 1024).Limits = new QueueLimits { LogicalBlockSize = 4096, PhysicalBlockSize = 4096, IoMin = 4096 };
    }

    public void Dispose() => _registry.Dispose();

    [Theory]
    [InlineData("0 8 linear k 0\n8 8 linear a 3")]
    [InlineData("0 8 linear k 0\n8 16 zero\n24 16 linear a 3")]
    [InlineData("0 4 zero\n4 4 zero\n8 8 linear k 0")] // a block may go on in targets that take parts of it
    [InlineData("0 8 linear k 0\n8 4 linear a 1\n12 4 zero")]
    [InlineData("0 2 zero\n2 2 linear a 0\n4 2 zero\n6 2 zero\n8 8 linear k 0")]
    [InlineData("0 4 zero\n4 12 zero\n16 8 linear k 0")]
    [InlineData("0 16 striped 2 8 k 0 a 8")]
    public void A_table_that_fits_the_blocks_loads(string table)
    {
        MappedDevice device = _registry.Create("m", table);
        Assert.Equal(4096u, device.Limits.LogicalBlockSize);
        Assert.Equal(BioStatus.Invalid, TestBio.Read(device, 1, new byte[512]));
    }

    [Theory]
    [InlineData("0 8 linear k 4", "start 4 and length 8 on 'k'")]
    [InlineData("0 4 linear k 0", "length 4 on 'k'")]
    [InlineData("0 8 linear k 0\n8 12 zero", "line 2: zero: start 8 and length 12")]
    [InlineData("0 4 zero\n4 8 linear k 0", "line 2: linear: start 4")]
    [InlineData("0 4 linear a 0\n4 8 linear k 0", "line 2: linear: start 4")]
    [InlineData("0 16 striped 2 8 a 4 k 0", "start 4 and length 8 on 'a'")] // the blocks of the target as a whole count
    [InlineData("0 8 linear a 1020", "'a' has 1024 sectors, too few for 8 from sector 1020")]
    [InlineData("0 8 linear a 18446744073709551608", "too few")]
    public void A_table_that_does_not_is_refused(string table, string sentence)
    {
        DmException refusal = Assert.Throws<DmException>(() => _registry.Create("m", table));
        Assert.Equal(Errno.EINVAL, refusal.Errno);
        Assert.Contains(sentence, refusal.Message);
    }

    [Fact]
    public void Nothing_is_checked_against_a_device_of_no_size()
    {
        _registry["a"].Size = SectorCount.Zero;
        MappedDevice device = _registry.Create("m", "0 2048 linear a 77");
        Assert.Equal(BioStatus.IoError, TestBio.Read(device, 0, new byte[512]));
    }

    [Theory]
    [InlineData("0 8 linear a 0\n8 8 zero", true, true, false)]
    [InlineData("0 8 linear a 0", true, true, true)]
    [InlineData("0 8 linear a 0\n8 8 linear k 0", false, false, false)]
    [InlineData("0 8 linear k 0\n8 8 error", false, false, false)]
    [InlineData("0 8 zero\n8 8 error", true, true, false)]
    public void An_operation_is_there_if_all_targets_have_it(string table, bool discards, bool zeroes, bool erases)
    {
        QueueLimits limits = _registry.Create("m", table).Limits;
        Assert.Equal(discards, limits.MaxDiscard.Value > 0);
        Assert.Equal(discards, limits.DiscardGranularity > 0);
        Assert.Equal(zeroes, limits.MaxWriteZeroes.Value > 0);
        Assert.Equal(erases, limits.MaxSecureErase.Value > 0);
    }

    [Fact]
    public void A_write_cache_below_is_one_on_top()
    {
        Assert.True(_registry.Create("cached", "0 8 zero\n8 8 linear a 0").Limits is { WriteCache: true, Fua: true });
        Assert.False(_registry.Create("direct", "0 8 linear k 0").Limits.WriteCache);
    }
}
