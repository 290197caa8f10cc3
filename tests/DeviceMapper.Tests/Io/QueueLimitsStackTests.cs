using DeviceMapper.Io;

namespace DeviceMapper.Tests.Io;

/// <summary>Stacking of limits, as the kernel's blk_stack_limits does it.</summary>
public sealed class QueueLimitsStackTests
{
    private static readonly QueueLimits _plain = new();
    private static readonly QueueLimits _large = new() { LogicalBlockSize = 4096, PhysicalBlockSize = 4096, IoMin = 4096 };

    // 512-byte sectors on 4096-byte blocks, the first of which starts at the eighth sector.
    private static readonly QueueLimits _emulating = new() { PhysicalBlockSize = 4096, IoMin = 4096, AlignmentOffset = 3584 };

    [Fact]
    public void One_device_gives_its_own_limits()
    {
        QueueLimits limits = Stack(_large, 0);
        Assert.Equal(_large with { MaxSectors = new SectorCount(uint.MaxValue / 8 * 8) }, limits);
    }

    [Fact]
    public void Block_sizes_are_the_largest()
    {
        QueueLimits limits = Stack(_plain, 0).Stack(_large, default);
        Assert.Equal((4096u, 4096u, 4096u), (limits.LogicalBlockSize, limits.PhysicalBlockSize, limits.IoMin));
        Assert.False(limits.Misaligned);
    }

    [Theory]
    [InlineData(0, 3584)]
    [InlineData(1, 3072)]
    [InlineData(7, 0)]
    [InlineData(8, 3584)]
    public void The_first_physical_block_lies_where_the_device_has_it(ulong start, uint expected)
    {
        QueueLimits limits = Stack(_emulating, start);
        Assert.Equal(expected, limits.AlignmentOffset);
        Assert.False(limits.Misaligned);
    }

    [Fact]
    public void Blocks_that_do_not_line_up_are_misaligned()
    {
        Assert.False(Stack(_emulating, 7).Stack(_emulating, new Sector(15)).Misaligned);
        Assert.True(Stack(_emulating, 7).Stack(_emulating, new Sector(8)).Misaligned);
        Assert.True(Stack(_emulating, 7).Stack(_emulating, new Sector(8)).Stack(_plain, default).Misaligned); // and stays so
    }

    [Fact]
    public void An_alignment_within_a_logical_block_is_misaligned() => Assert.True(Stack(_emulating, 0).Stack(_large, default).Misaligned);

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(0, 65536, 65536)]
    [InlineData(65536, 0, 65536)]
    [InlineData(65536, 98304, 196608)]
    [InlineData(49152, 65536, 196608)]
    public void The_best_size_is_the_least_common_multiple(uint a, uint b, uint expected) =>
        Assert.Equal(expected, Stack(_plain with { IoOpt = a }, 0).Stack(_plain with { IoOpt = b }, default).IoOpt);

    [Fact]
    public void A_best_size_that_is_not_whole_physical_blocks_is_forgotten()
    {
        QueueLimits limits = Stack(_plain with { IoOpt = 6144 }, 0).Stack(_large, default);
        Assert.Equal(0u, limits.IoOpt);
        Assert.True(limits.Misaligned);
    }

    [Fact]
    public void A_smallest_size_that_is_not_whole_physical_blocks_becomes_one()
    {
        QueueLimits limits = Stack(_plain with { IoMin = 6144 }, 0).Stack(_large with { IoMin = 4096 }, default);
        Assert.Equal(4096u, limits.IoMin);
        Assert.True(limits.Misaligned);
    }

    [Theory]
    [InlineData(0, 100, 100)]
    [InlineData(100, 0, 100)]
    [InlineData(100, 50, 50)]
    public void Discards_and_secure_erases_are_the_shorter_of_those_that_have_any(ulong a, ulong b, ulong expected)
    {
        QueueLimits limits = Stack(Discarding(a), 0).Stack(Discarding(b), default);
        Assert.Equal(expected, limits.MaxDiscard.Value);
        Assert.Equal(expected, limits.MaxSecureErase.Value);
        Assert.Equal(512u, limits.DiscardGranularity);
    }

    [Fact]
    public void Writes_of_zeroes_need_all_devices()
    {
        QueueLimits able = _plain with { MaxWriteZeroes = new SectorCount(64) };
        Assert.Equal(64ul, Stack(able, 0).MaxWriteZeroes.Value);
        Assert.Equal(0ul, Stack(able, 0).Stack(_plain, default).MaxWriteZeroes.Value);
        Assert.Equal(0ul, Stack(_plain, 0).Stack(able, default).MaxWriteZeroes.Value);
    }

    [Fact]
    public void The_largest_io_is_whole_blocks()
    {
        QueueLimits limits = Stack(_plain with { MaxSectors = new SectorCount(1001) }, 0).Stack(_large, default);
        Assert.Equal(1000ul, limits.MaxSectors.Value);
    }

    [Fact]
    public void One_write_cache_is_a_write_cache()
    {
        QueueLimits limits = Stack(_plain with { WriteCache = true }, 0).Stack(_plain with { Fua = true }, default);
        Assert.True(limits.WriteCache);
        Assert.True(limits.Fua);
    }

    private static QueueLimits Stack(QueueLimits below, ulong start) => QueueLimits.Stacking.Stack(below, new Sector(start));

    private static QueueLimits Discarding(ulong largest) => _plain with
    {
        MaxDiscard = new SectorCount(largest),
        MaxSecureErase = new SectorCount(largest),
        DiscardGranularity = largest == 0 ? 0u : 512u,
    };
}
