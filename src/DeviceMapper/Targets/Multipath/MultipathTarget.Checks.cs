using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Multipath;

/// <content>Reads to find out whether a path works: of failed ones at intervals (<c>checker</c>), of good ones by the message <c>probe_paths</c>.</content>
public sealed partial class MultipathTarget
{
    private static readonly TimeSpan _checkPause = TimeSpan.FromSeconds(5); // as multipathd's polling_interval
    private static readonly TimeSpan _probeLimit = TimeSpan.FromSeconds(10);

    private readonly object _probing = new(); // guards the count, and pulses when a read has ended
    private int _probes; // reads under way
    private ITimer? _checkTimer; // guarded by _lock

    /// <summary>Called with the lock held.</summary>
    private void StartChecking()
    {
        if (_features.Checker && _isLive)
        {
            _checkTimer ??= _time.CreateTimer(_ => CheckFailedPaths(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _checkTimer.Change(_checkPause, _checkPause);
        }
    }

    private void CheckFailedPaths()
    {
        MultipathPath[] failed = Array.FindAll(_paths, p => p.Failure == PathFailure.IoError);
        if (failed.Length == 0)
        {
            lock (_lock)
            {
                _checkTimer!.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
        }

        foreach (MultipathPath path in failed)
        {
            Probe(path, status =>
            {
                if (status == BioStatus.Ok && path.Failure == PathFailure.IoError)
                {
                    Reinstate(path, "the checker could read it");
                }
            });
        }
    }

    /// <summary>Reads from every good path of the current group, and fails those where that does not work (the kernel's <c>DM_MPATH_PROBE_PATHS</c>).</summary>
    /// <exception cref="DmException">ENOTCONN: no path is left.</exception>
    private void ProbePaths()
    {
        MultipathPath[] good = Array.FindAll((_current ?? _next ?? _groups.FirstOrDefault())?.Paths ?? [], p => p.IsActive);
        using CountdownEvent left = new(good.Length + 1);
        foreach (MultipathPath path in good)
        {
            if (!Probe(path, Ended(path, left)))
            {
                left.Signal();
            }
        }

        left.Signal();
        left.Wait(_probeLimit); // one that hangs is not waited for
        if (Volatile.Read(ref _activePaths) == 0)
        {
            throw new DmException(Errno.ENOTCONN, $"multipath: no path of '{Table.Owner.Name}' works");
        }
    }

    private Action<BioStatus> Ended(MultipathPath path, CountdownEvent left) => status =>
    {
        if (BlamesPath(status))
        {
            FailAfterError(path, status);
        }

        try
        {
            left.Signal();
        }
        catch (ObjectDisposedException)
        {
            // Later than anybody waited.
        }
    };

    /// <summary>Reads the first block of a path.</summary>
    /// <returns>False where the device is suspended: nothing is read.</returns>
    private bool Probe(MultipathPath path, Action<BioStatus> ended) =>
        Probe(path, 0, default, (int)path.Device!.Device.Limits.LogicalBlockSize, (status, _) => ended(status));

    private bool Probe(MultipathPath path, int connection, Sector start, int bytes, ProbeEnded ended)
    {
        lock (_probing)
        {
            if (!_isLive)
            {
                return false;
            }

            _probes++;
        }

        PathProbe.Send(path.Device!.Device, connection, start, bytes, (status, data) =>
        {
            ended(status, data);
            lock (_probing)
            {
                _probes--;
                Monitor.PulseAll(_probing);
            }
        });
        return true;
    }

    /// <summary>No read is under way any more: the table's devices may be closed.</summary>
    private void WaitForProbes()
    {
        lock (_probing)
        {
            while (_probes > 0)
            {
                Monitor.Wait(_probing);
            }
        }
    }
}
