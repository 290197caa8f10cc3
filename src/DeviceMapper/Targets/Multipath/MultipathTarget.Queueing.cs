using DeviceMapper.Io;

namespace DeviceMapper.Targets.Multipath;

/// <content>Whether I/O without a path waits: by feature, message, time limit, and over a suspend.</content>
public sealed partial class MultipathTarget
{
    private volatile bool _queueIfNoPath; // written with _lock held
    private bool _savedQueueIfNoPath; // what a suspend has switched off; guarded by _lock
    private volatile bool _suspending; // from presuspend to resume: nothing is held; written with _lock held
    private volatile bool _isLive; // resumed, and not suspended since
    private ITimer? _queueTimer; // guarded by _lock

    /// <summary>Whether a bio without a path waits.</summary>
    private bool MayHold => _queueIfNoPath && !_suspending;

    /// <summary>
    /// Nothing waits over a suspend: it fails, or in a noflush suspend goes back to the mapped device, and through the table that is resumed.
    /// <c>queue_if_no_path</c> is off meanwhile, as the table line shows; not in queue mode <c>rq</c> with noflush.
    /// </summary>
    public override void Presuspend()
    {
        Bio? held;
        bool noflush = Table.Owner.IsNoFlushSuspending;
        lock (_probing)
        {
            _isLive = false;
        }

        lock (_lock)
        {
            _suspending = true;
            if (_features.BioBased || !noflush)
            {
                _savedQueueIfNoPath |= _queueIfNoPath;
                _queueIfNoPath = false;
            }

            held = _held.TakeAll();
        }

        Resubmit(held);
        if (noflush)
        {
            Resubmit(TakeDoubtful());
        }
    }

    /// <inheritdoc/>
    public override void PresuspendUndo() => Resume();

    /// <inheritdoc/>
    public override void Postsuspend() => WaitForProbes();

    /// <inheritdoc/>
    public override void Resume()
    {
        lock (_lock)
        {
            _suspending = false;
            _isLive = true;
            _queueIfNoPath |= _savedQueueIfNoPath;
            _savedQueueIfNoPath = false;
            _resumedAt = _clock.Now;
            StartQueueTimer();
            StartChecking();
            if (!Doubt.IsEmpty)
            {
                StartDoubtTimer();
            }
        }

        StartComparing();
    }

    private void SetQueueIfNoPath(bool queue)
    {
        Bio? held = null;
        lock (_lock)
        {
            _queueIfNoPath = queue;
            if (queue)
            {
                StartQueueTimer();
            }
            else
            {
                _savedQueueIfNoPath = false;
                StopQueueTimer();
                held = _held.TakeAll();
            }
        }

        Resubmit(held);
    }

    /// <summary>Gives up waiting after a time without any path, where the table says so (the kernel's <c>queue_if_no_path_timeout_secs</c>).</summary>
    private void StartQueueTimer()
    {
        if (_features.QueueTimeout is { } seconds && _queueIfNoPath && _activePaths == 0)
        {
            _queueTimer ??= _time.CreateTimer(_ => GiveUpQueueing(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _queueTimer.Change(TimeSpan.FromSeconds(seconds), Timeout.InfiniteTimeSpan);
        }
    }

    private void StopQueueTimer() => _queueTimer?.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    private void GiveUpQueueing()
    {
        int held;
        lock (_lock)
        {
            if (!_queueIfNoPath || _activePaths > 0)
            {
                return;
            }

            held = _held.Count;
        }

        Table.Owner.Logger.NoPathTimeout(Table.Owner.Name, _features.QueueTimeout!.Value, held);
        SetQueueIfNoPath(false);
    }
}
