using DeviceMapper.Nbd.Protocol;

namespace DeviceMapper.Nbd.Tests;

public sealed class ReceiveWaitsTests
{
    private readonly ReceiveWaits _waits = new();
    private readonly double[] _shares = new double[4];
    private long _now = 1;

    [Theory]
    [InlineData("Sleep", 20, 20, 20, 20)] // no way is faster
    [InlineData("Yield", 22, 20, 18, 20)] // not fast enough for the processor time it takes
    [InlineData("Yield", 20, 15, 14, 30)]
    [InlineData("Poll", 20, 18, 12, 25)]
    [InlineData("Pause", 20, 20, 20, 12)]
    [InlineData("Sleep", 20, 3000, 3000, 80)] // others want the processor
    [InlineData("Sleep", 20, 400, 400, 80)]
    public void The_fastest_way_is_kept(string way, int sleep, int yield, int poll, int pause)
    {
        Serve(2_000_000, group: 2, sleep, yield, poll, pause);
        Assert.True(ShareOf(way, 4_000_000, group: 2, sleep, yield, poll, pause) > 0.85, string.Join(' ', _shares));
    }

    [Fact]
    public void It_is_found_within_a_quarter_of_a_second()
    {
        Serve(250_000, group: 2, 20, 19, 18, 10);
        Assert.Equal(ReceiveWait.Pause, _waits.Now);
    }

    [Fact]
    public void What_is_right_may_change()
    {
        Serve(2_000_000, group: 2, 20, 10, 20, 20);
        Assert.True(ShareOf("Yield", 1_000_000, group: 2, 20, 10, 20, 20) > 0.85);
        Serve(4_000_000, group: 2, 20, 40, 40, 40);
        Assert.True(ShareOf("Sleep", 1_000_000, group: 2, 20, 40, 40, 40) > 0.85);
    }

    [Fact]
    public void A_client_with_one_request_at_a_time_never_waits_for_a_pause() =>
        Assert.Equal(0, ShareOf("Pause", 3_000_000, group: 1, 15, 15, 15, 5));

    [Fact]
    public void A_client_with_few_requests_a_second_sees_no_other_way() =>
        Assert.Equal(1, ShareOf("Sleep", 3_000_000, group: 1, 2000, 500, 500, 500));

    /// <summary>Serves a client whose requests take so many microseconds each, by the way of waiting.</summary>
    private void Serve(long microseconds, int group, params int[] times)
    {
        Array.Clear(_shares);
        long end = _now + microseconds;
        while (_now < end)
        {
            int way = (int)_waits.Now;
            _now += times[way] * group;
            _shares[way] += (double)(times[way] * group) / microseconds;
            _waits.Handled(group, _now);
        }
    }

    private double ShareOf(string way, long microseconds, int group, params int[] times)
    {
        Serve(microseconds, group, times);
        return Math.Round(_shares[(int)Enum.Parse<ReceiveWait>(way)], 2);
    }
}
