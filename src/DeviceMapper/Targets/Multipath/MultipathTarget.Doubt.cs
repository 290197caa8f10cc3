using DeviceMapper.Backends;
using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Multipath;

/// <content>
/// Writes in doubt: given up on a path, and sent again on another, while the first copy may still be applied; see
/// <see cref="DoubtfulRanges"/>. Writes that overlap them wait.
/// </content>
public sealed partial class MultipathTarget
{
    private static readonly TimeSpan _doubtTick = TimeSpan.FromSeconds(1);

    private readonly Queue<(Bio Bio, ulong Since)> _doubtful = new(); // writes that wait, in order; guarded by _lock
    private ITimer? _doubtTimer; // guarded by _lock
    private ulong _resumedAt; // nanoseconds

    private DoubtfulRanges Doubt => Table.Owner.Doubt; // outlives the table

    /// <summary>A write was given up on a path whose far side may still carry it out.</summary>
    private void MarkDoubtful(MultipathPath path, Bio bio, BioStatus status)
    {
        if (!bio.IsWrite)
        {
            return;
        }

        bio.Parent!.WasSent = true;
        if (status == BioStatus.IoError || _features.InDoubt == 0 || path.Monitor is not { IsSettled: false } monitor)
        {
            return; // its end is certain, or nobody wants to know
        }

        if (Doubt.Add(monitor, bio.Sector, bio.Count))
        {
            SettleWith(monitor, Doubt);
        }
    }

    /// <summary>Sees to the end of a doubt, also when the table has not had the path for long.</summary>
    private static void SettleWith(IPathMonitor monitor, DoubtfulRanges doubt)
    {
        monitor.StateChanged += Changed;
        Changed(); // it may be over already

        void Changed()
        {
            if (doubt.Settle(monitor, () => monitor.IsSettled) > 0)
            {
                monitor.StateChanged -= Changed;
            }
        }
    }

    /// <summary>What becomes of a write, while ranges are in doubt.</summary>
    /// <returns>Null where it may go on.</returns>
    private MapResult? MapDoubtful(Bio bio)
    {
        // What had been sent before the doubt came up carries the same bytes, or was submitted at the same time.
        if (bio.Parent!.WasSent)
        {
            return null;
        }

        lock (_lock)
        {
            if (_features.InDoubt == 0 || !Doubt.Overlaps(bio.Sector, bio.Count))
            {
                return null;
            }

            if (_suspending && Table.Owner.IsNoFlushSuspending)
            {
                return MapResult.Requeue;
            }

            if ((bio.Flags & BioFlags.NoWait) == 0)
            {
                _doubtful.Enqueue((bio, _clock.Now));
                StartDoubtTimer();
                return MapResult.Submitted;
            }
        }

        bio.End(BioStatus.Again);
        return MapResult.Submitted;
    }

    private void DoubtFreed() => Resubmit(TakeDoubtful());

    /// <summary>Takes the writes that wait, linked in order; those that still overlap a range in doubt will wait again.</summary>
    private Bio? TakeDoubtful()
    {
        lock (_lock)
        {
            BioList bios = new();
            foreach ((Bio bio, _) in _doubtful)
            {
                bios.Add(bio);
            }

            _doubtful.Clear();
            return bios.TakeAll();
        }
    }

    /// <summary>What may still write, and is no path of this table: nobody will tell when that is over.</summary>
    private IEnumerable<object> Strangers() =>
        Doubt.Snapshot().Select(r => r.Carrier).Distinct().Where(carrier => !Array.Exists(_paths, p => p.Monitor == carrier));

    private void ForgetStrangers()
    {
        foreach (object carrier in Strangers())
        {
            Table.Owner.Logger.DoubtForgotten(Table.Owner.Name, Doubt.Settle(carrier), _features.InDoubt);
        }
    }

    private void StartDoubtTimer()
    {
        _doubtTimer ??= _time.CreateTimer(_ => DoubtTick(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _doubtTimer.Change(_doubtTick, _doubtTick);
    }

    /// <summary>Fails writes that have waited too long, and forgets the doubts of paths that the table has not had for as long.</summary>
    private void DoubtTick()
    {
        ulong limit = _features.InDoubt * 1_000_000_000UL;
        ulong now = _clock.Now;
        List<Bio> late = [];
        if (now - _resumedAt >= limit)
        {
            ForgetStrangers();
        }

        lock (_lock)
        {
            while (_doubtful.TryPeek(out (Bio Bio, ulong Since) first) && now - first.Since >= limit)
            {
                late.Add(_doubtful.Dequeue().Bio);
            }

            if (_doubtful.Count == 0 && !Strangers().Any())
            {
                _doubtTimer!.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
        }

        foreach (Bio bio in late)
        {
            Table.Owner.Logger.DoubtTooLong(Table.Owner.Name, bio.Sector, bio.Count, _features.InDoubt);
            bio.End(BioStatus.IoError);
        }
    }
}
