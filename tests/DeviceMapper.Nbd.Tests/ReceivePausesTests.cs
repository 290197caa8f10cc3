using DeviceMapper.Nbd.Server;

namespace DeviceMapper.Nbd.Tests;

public sealed class ReceivePausesTests
{
    private readonly ReceivePauses _pauses = new();
    private long _now = 1;

    [Fact]
    public void A_client_that_is_served_faster_with_pauses_gets_them_and_keeps_them()
    {
        Serve(2_000_000, withPauses: (16, 100), without: (2, 20));
        Assert.True(ShareOfPauses(1_000_000, withPauses: (16, 100), without: (2, 20)) > 0.9);
    }

    [Fact]
    public void A_client_that_is_served_slower_with_pauses_hardly_sees_any()
    {
        Serve(2_000_000, withPauses: (4, 100), without: (2, 20));
        Assert.True(ShareOfPauses(1_000_000, withPauses: (4, 100), without: (2, 20)) < 0.1);
    }

    [Fact]
    public void A_client_with_one_request_at_a_time_or_few_a_second_never_waits()
    {
        Assert.Equal(0, ShareOfPauses(3_000_000, withPauses: (1, 100), without: (1, 15)));
        Assert.Equal(0, ShareOfPauses(3_000_000, withPauses: (8, 1000), without: (2, 1000)));
    }

    [Fact]
    public void What_is_right_may_change()
    {
        Serve(2_000_000, withPauses: (16, 100), without: (2, 20));
        Serve(2_000_000, withPauses: (2, 100), without: (2, 20));
        Assert.True(ShareOfPauses(1_000_000, withPauses: (2, 100), without: (2, 20)) < 0.1);
    }

    private void Serve(long microseconds, (int Requests, int Time) withPauses, (int Requests, int Time) without) =>
        ShareOfPauses(microseconds, withPauses, without);

    private double ShareOfPauses(long microseconds, (int Requests, int Time) withPauses, (int Requests, int Time) without)
    {
        long end = _now + microseconds, paused = 0;
        while (_now < end)
        {
            (int requests, int time) = _pauses.Pauses ? withPauses : without;
            paused += _pauses.Pauses ? time : 0;
            _now += time;
            _pauses.Handled(requests, _now);
        }

        return (double)paused / microseconds;
    }
}
