using DeviceMapper.Io;

namespace DeviceMapper.Nbd.Client;

/// <content>
/// A server that hangs: when a request that asks to fail fast has had no reply for <c>request-timeout</c>, its connection is given up, as if the server had closed
/// it. Others wait as long as the connection lives.
/// </content>
internal sealed partial class NbdBackend
{
    private const int LooksInTimeout = 8;
    private static readonly TimeSpan ShortestLook = TimeSpan.FromMilliseconds(50);

    private ITimer? _overdue;

    private long DeadlineOf(RemoteRequest request) =>
        _overdue is not null && request.Bio is { } bio && (bio.Flags & BioFlags.FailFast) != 0
            ? _time.GetTimestamp() + (long)(_uri.RequestTimeout.TotalSeconds * _time.TimestampFrequency)
            : long.MaxValue;

    private void StartTimingOut()
    {
        if (_uri.RequestTimeout > TimeSpan.Zero && _overdue is null)
        {
            TimeSpan pause = _uri.RequestTimeout / LooksInTimeout;
            pause = pause > ShortestLook ? pause : ShortestLook;
            _overdue = _time.CreateTimer(_ => GiveUpOverdue(), null, pause, pause);
        }
    }

    private void GiveUpOverdue()
    {
        long now = _time.GetTimestamp();
        foreach (NbdLink link in _links.All)
        {
            if (link.IsOverdue(now))
            {
                link.GiveUp($"a request had no reply for {_uri.RequestTimeout.TotalSeconds:0.###} s");
            }
        }
    }
}
