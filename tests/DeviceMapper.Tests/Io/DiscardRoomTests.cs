using DeviceMapper.Io;

namespace DeviceMapper.Tests.Io;

/// <summary>Where discards are cut before tables are asked.</summary>
public sealed class DiscardRoomTests
{
    [Theory]
    [InlineData(4096, 0, 8_388_600)] // what a bio of the kernel has bytes for
    [InlineData(4096, 8, 8_388_600)]
    [InlineData(4096, 3, 5)]
    [InlineData(0, 3, 8_388_607)] // no granularity: a sector
    [InlineData(1 << 30, 0, 6_291_456)] // three of them
    [InlineData(1 << 30, 1, 2_097_151)]
    public void A_discard_reaches_to_a_multiple_of_the_granularity(uint granularity, ulong at, ulong sectors) =>
        Assert.Equal(new SectorCount(sectors), new QueueLimits { DiscardGranularity = granularity }.DiscardRoomAt(new Sector(at)));
}
