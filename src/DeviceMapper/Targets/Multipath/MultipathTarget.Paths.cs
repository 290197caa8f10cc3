using DeviceMapper.Backends;
using DeviceMapper.Io;

namespace DeviceMapper.Targets.Multipath;

/// <content>Paths that fail and return.</content>
public sealed partial class MultipathTarget
{
    private readonly TimeProvider _time;
    private readonly List<(IPathMonitor Monitor, Action Handler)> _watched = [];

    private void WatchPaths()
    {
        foreach (MultipathPath path in _paths)
        {
            if (path.Device.Backend is IPathMonitor monitor)
            {
                void Handler() => ConnectionChanged(path, monitor);
                monitor.StateChanged += Handler;
                _watched.Add((monitor, Handler));
            }
        }
    }

    private void UnwatchPaths()
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
                Fail(path, PathFailure.Lost, "its backend lost the way to the device");
            }
        }
        else if (path.Failure == PathFailure.Lost)
        {
            Reinstate(path, "its backend is connected again");
        }
    }

    private void FailAfterError(MultipathPath path, BioStatus status)
    {
        if (status == BioStatus.Transport && path.Device.Backend is IPathMonitor monitor)
        {
            Fail(path, PathFailure.Lost, "its backend lost the way to the device");
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

    /// <summary>Marks a path as failed (the kernel's <c>fail_path</c>). One that has failed already only keeps the stronger reason.</summary>
    private void Fail(MultipathPath path, PathFailure failure, string reason)
    {
        int left;
        lock (_lock)
        {
            if (!path.IsActive)
            {
                path.Failure = failure == PathFailure.Message ? failure : path.Failure;
                return;
            }

            path.Group.Selector.Fail(path);
            Mark(path, failure, reason);
            path.FailCount++;
            left = --_activePaths;
            StartQueueTimer();
        }

        Table.Owner.Logger.PathFailed(Table.Owner.Name, path.Device.Name, reason, left);
        Table.RaiseEvent();
    }

    /// <summary>Marks a path as good (the kernel's <c>reinstate_path</c>). The first one takes the I/O that waited.</summary>
    private void Reinstate(MultipathPath path, string reason)
    {
        int count;
        Bio? held;
        lock (_lock)
        {
            if (path.IsActive)
            {
                return;
            }

            path.Group.Selector.Reinstate(path);
            Mark(path, PathFailure.None, reason);
            count = ++_activePaths;
            StopQueueTimer();
            held = TakeHeld();
        }

        Table.Owner.Logger.PathReinstated(Table.Owner.Name, path.Device.Name, reason, count);
        Table.RaiseEvent();
        Resubmit(held);
    }

    private void Mark(MultipathPath path, PathFailure failure, string reason)
    {
        path.Failure = failure;
        path.Reason = reason;
        path.Since = _time.GetUtcNow();
    }
}
