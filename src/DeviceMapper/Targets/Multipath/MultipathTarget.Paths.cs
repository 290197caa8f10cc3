using DeviceMapper.Backends;
using DeviceMapper.Io;

namespace DeviceMapper.Targets.Multipath;

/// <content>Paths that fail and return.</content>
public sealed partial class MultipathTarget
{
    private const string LostReason = "its backend lost the way to the device";

    private readonly List<(IPathMonitor Monitor, Action Handler)> _watched = []; // guarded by _lock

    /// <summary>Listens to a path's backend, where that tells of the way to its device.</summary>
    private void Watch(MultipathPath path)
    {
        if (path.Monitor is { } monitor)
        {
            _ = Samples.Trusted(monitor);
            void Handler() => ConnectionChanged(path, monitor);
            monitor.StateChanged += Handler;
            lock (_lock)
            {
                _watched.Add((monitor, Handler));
            }
        }
    }

    private void Unwatch()
    {
        foreach ((IPathMonitor monitor, Action handler) in _watched)
        {
            monitor.StateChanged -= handler;
        }
    }

    private void ConnectionChanged(MultipathPath path, IPathMonitor monitor)
    {
        if (!monitor.IsConnected)
        {
            if (_isLive)
            {
                Fail(path, PathFailure.Lost, LostReason);
            }
        }
        else
        {
            ReinstateIfSame(path, "its backend is connected again");
        }
    }

    private void FailAfterError(MultipathPath path, BioStatus status)
    {
        if (status == BioStatus.Transport && path.Monitor is { } monitor)
        {
            Fail(path, PathFailure.Lost, LostReason);
            if (monitor.IsConnected)
            {
                // It is back already, and may have said so before the path was marked. Not here: that could be in circles.
                ThreadPool.UnsafeQueueUserWorkItem(_ => ConnectionChanged(path, monitor), null);
            }
        }
        else
        {
            Fail(path, PathFailure.IoError, $"an I/O ended with {status.ToErrno()}");
        }
    }

    private void Fail(MultipathPath path, PathFailure failure, string reason)
    {
        if (MarkFailed(path, failure, reason))
        {
            Table.RaiseEvent();
        }
    }

    private void Reinstate(MultipathPath path, string reason)
    {
        if (MarkGood(path, reason))
        {
            Table.RaiseEvent();
        }
    }

    /// <summary>Marks a path as failed (the kernel's <c>fail_path</c>). Of one that has failed already a message only says that it stays so.</summary>
    /// <returns>Whether it was good: that is an event.</returns>
    private bool MarkFailed(MultipathPath path, PathFailure failure, string reason)
    {
        int left;
        lock (_lock)
        {
            if (!path.IsActive)
            {
                path.Failure = failure == PathFailure.Message ? failure : path.Failure;
                return false;
            }

            path.Group.Selector.Fail(path);
            Mark(path, failure, reason);
            path.FailCount++;
            left = --_activePaths;
            LoseCacheWithLastPath(path);
            StartQueueTimer();
            StartChecking();
        }

        Table.Owner.Logger.PathFailed(Table.Owner.Name, path.Name, reason, left);
        return true;
    }

    /// <summary>Marks a path as good (the kernel's <c>reinstate_path</c>). The first one takes the I/O that waited.</summary>
    /// <returns>Whether it had failed: that is an event.</returns>
    private bool MarkGood(MultipathPath path, string reason)
    {
        int count;
        Bio? held;
        lock (_lock)
        {
            if (path.IsActive || path.Device is null)
            {
                return false;
            }

            Mark(path, PathFailure.None, reason);
            path.Group.Selector.Reinstate(path);
            count = ++_activePaths;
            StopQueueTimer();
            held = _held.TakeAll();
        }

        Table.Owner.Logger.PathReinstated(Table.Owner.Name, path.Name, reason, count);
        Resubmit(held);
        return true;
    }

    private void Mark(MultipathPath path, PathFailure failure, string reason)
    {
        path.Failure = failure;
        path.Reason = reason;
        path.Since = _time.GetUtcNow();
    }
}
