using DeviceMapper.Io;

namespace DeviceMapper.Nbd.Client;

/// <content>Writes that were sent on a connection that was lost: until the server has surely done with it, later ones to their ranges wait.</content>
internal sealed partial class NbdBackend
{
    private static readonly TimeSpan DoubtPause = TimeSpan.FromMilliseconds(100);

    private readonly DoubtfulRanges _doubtful = new(); // guarded by _lock
    private readonly List<RemoteRequest> _held = []; // writes to doubtful ranges; guarded by _lock
    private volatile bool _anyDoubt;
    private long _backSince; // when the present connections were made; guarded by _lock
    private long _closedSince; // when it was disposed, or its server was last seen stopped after that; guarded by _lock
    private ITimer? _doubtPoll; // guarded by _lock

    /// <inheritdoc/>
    public bool IsSettled => !_anyDoubt;

    /// <summary>Its server's own, as far as is known; its several connections are made only where the server says that they share it (multi-conn).</summary>
    public override string? CacheDomain => _export.Has(Protocol.NbdExportFlags.SendFlush) ? _uri.Identity : null;

    /// <summary>A write has no answer. Called with the lock held.</summary>
    private void Doubt(RemoteRequest request, NbdLink link)
    {
        _doubtful.Add(request, link.Process);
        _anyDoubt = true;
        _doubtPoll ??= _time.CreateTimer(_ => PollDoubts(), null, DoubtPause, DoubtPause);
    }

    private bool Holds(RemoteRequest request)
    {
        lock (_lock)
        {
            if (request.IsReplay || !_doubtful.Overlap(request))
            {
                return false;
            }

            _held.Add(request);
            return true;
        }
    }

    /// <summary>
    /// Ends the doubt once the old server's process is gone; where that cannot be told, or it lives on, after the time that writes wait at most,
    /// counted from its return. One that is closed while in doubt goes on to look, for those that want to know: a server that is
    /// stopped can still do what it was told.
    /// </summary>
    private void PollDoubts()
    {
        List<RemoteRequest> held;
        lock (_lock)
        {
            if (_disposed && _doubtful.IsAnyStopped)
            {
                _closedSince = _time.GetTimestamp();
            }

            bool waited = _disposed
                ? _time.GetElapsedTime(_closedSince) >= _uri.InDoubt
                : _links.All.Length > 0 && _time.GetElapsedTime(_backSince) >= _uri.InDoubt;
            if (!_anyDoubt || !(waited || _doubtful.IsOver))
            {
                return;
            }

            _doubtful.Clear();
            _anyDoubt = false;
            _doubtPoll?.Dispose();
            _doubtPoll = null;
            held = [.. _held];
            _held.Clear();
        }

        StateChanged?.Invoke();
        foreach (RemoteRequest request in held)
        {
            Submit(request);
        }
    }
}
