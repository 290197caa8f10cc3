using DeviceMapper.Io;

namespace DeviceMapper.Tests;

public sealed class DoubtfulRangesTests
{
    private readonly DoubtfulRanges _ranges = new();

    [Fact]
    public void Only_sectors_of_a_range_are_in_doubt()
    {
        _ranges.Add("a", new(10), new(5));
        Assert.False(Overlaps(0, 10));
        Assert.True(Overlaps(0, 11));
        Assert.True(Overlaps(14, 1));
        Assert.False(Overlaps(15, 100));
    }

    [Fact]
    public void Only_the_carriers_own_ranges_are_settled_with_it()
    {
        _ranges.Add("a", new(0), new(10));
        _ranges.Add("b", new(5), new(10));
        Assert.Equal(1, _ranges.Settle("a"));
        Assert.False(Overlaps(0, 5));
        Assert.True(Overlaps(5, 1));
        Assert.Equal(1, _ranges.Settle("b"));
        Assert.True(_ranges.IsEmpty);
    }

    [Fact]
    public void Ranges_that_touch_are_one()
    {
        _ranges.Add("a", new(0), new(8));
        _ranges.Add("a", new(8), new(8));
        Assert.Equal(new DoubtfulRange("a", new(0), new(16)), Assert.Single(_ranges.Snapshot()));
    }

    [Fact]
    public void Memory_is_bounded_and_no_doubt_is_lost()
    {
        for (ulong i = 0; i < 10_000; i++)
        {
            _ranges.Add("a", new(i * 100), new(1));
        }

        Assert.InRange(_ranges.Snapshot().Count, 1, 2000);
        for (ulong i = 0; i < 10_000; i += 97)
        {
            Assert.True(Overlaps(i * 100, 1));
        }
    }

    private bool Overlaps(ulong start, ulong count) => _ranges.Overlaps(new(start), new(count));
}
