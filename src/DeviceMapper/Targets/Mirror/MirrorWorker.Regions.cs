using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Mirror;

/// <content>What the thread does with regions: copies them, marks them for writes, and cleans them. All of it is the thread's own.</content>
internal sealed partial class MirrorWorker
{
    private readonly BioList _delayed = new(); // writes to the region that is copied
    private readonly List<int> _marked = []; // regions that the log has marked
    private readonly List<int> _newlyMarked = [];
    private bool _copyStarted;
    private bool _timerSet;
    private volatile bool _logFailed;

    /// <summary>A region has been copied. Without errors handled it counts as in sync also where that failed, as in the kernel.</summary>
    private void EndCopy()
    {
        bool failed = _copies.ReadFailed;
        if (failed)
        {
            _legs.Fail(_copies.Source, LegErrors.Sync);
        }

        foreach (int leg in _copies.WriteFailed)
        {
            failed = true;
            _legs.Fail(leg, LegErrors.Sync);
        }

        bool inSync = !failed || !_features.HandleErrors;
        int region = _copying;
        _log.SetInSync(region, inSync); // before writes go on
        _regions.EndCopy(region, marked: !failed && _log.IsDurable);
        if (!failed && _log.IsDurable)
        {
            _marked.Add(region);
        }

        ReleaseCopied();
    }

    private void ReleaseCopied()
    {
        Bio? delayed = _delayed.TakeAll();
        lock (_queue)
        {
            ForEach(delayed, _writes.Add);
            _copying = -1;
            Wake();
        }
    }

    /// <summary>Goes on to the next region that is to be copied, when the writes to it have ended.</summary>
    private void Copy()
    {
        int region;
        lock (_queue)
        {
            if (_copying < 0 && _mayCopy && _log.TryNextToCopy(out region))
            {
                _copying = region;
                _copyStarted = false;
            }

            region = _copying;
        }

        if (region >= 0 && !_copyStarted)
        {
            _regions.BeginCopy(region);
            if (_regions.IsQuiet(region))
            {
                _copyStarted = true;
                _copies.Start(region);
            }
        }

        if (!_legs.AllInSync && _log.SyncCount == _log.RegionCount)
        {
            _mirror.Table.RaiseEvent();
            _legs.AllInSync = true;
            _legs.Forgive();
        }
    }

    /// <summary>Sends writes to the legs, when the log has their regions marked.</summary>
    private void Write(Bio? writes)
    {
        if (writes is null)
        {
            return;
        }

        BioList inSync = new(), notInSync = new();
        _newlyMarked.Clear();
        ForEach(writes, bio =>
        {
            switch (_mirror.Enter(bio, marking: true))
            {
                case RegionEntry.Wait:
                    _delayed.Add(bio);
                    break;
                case RegionEntry.NoSync:
                    notInSync.Add(bio);
                    break;
                case RegionEntry.ToMark:
                    int region = _mirror.RegionOf(bio);
                    _log.Mark(region);
                    _newlyMarked.Add(region);
                    inSync.Add(bio);
                    break;
                default:
                    inSync.Add(bio);
                    break;
            }
        });
        _logFailed |= !_log.Flush();
        foreach (int region in _newlyMarked)
        {
            if (_regions.SetMarked(region))
            {
                _marked.Add(region);
            }
        }

        ForEach(inSync.TakeAll(), KeepsWrites ? QueueFailed : _mirror.SendToAll);
        ForEach(notInSync.TakeAll(), _legs.HaveFailed && _features.HoldsWrites ? QueueFailed : _mirror.SendToDefault);
    }

    /// <summary>
    /// Writes that failed on a leg, or were not tried as the log failed: with errors handled they wait until user space has seen to
    /// that; without, they count as done.
    /// </summary>
    private void SeeTo(Bio? failures) => ForEach(failures, bio =>
    {
        if (!_logFailed)
        {
            _legs.AllInSync = false;
            if (bio.Operation == BioOperation.Flush)
            {
                _regions.FlushFailed = true;
            }
            else if (bio.Operation == BioOperation.Write)
            {
                int region = _mirror.RegionOf(bio);
                _log.SetInSync(region, false);
                if (_regions.SetNotInSync(region))
                {
                    ReleaseCopied();
                }
            }
        }

        if (!_legs.AnyAlive || (_features.KeepLog && _logFailed))
        {
            bio.End(BioStatus.IoError);
        }
        else if (_features.HoldsWrites)
        {
            Hold(bio);
        }
        else
        {
            bio.End(BioStatus.Ok);
        }
    });

    private void Hold(Bio bio)
    {
        lock (_queue)
        {
            if (!_suspending)
            {
                _held.Add(bio);
                return;
            }
        }

        EndHeld(bio);
    }

    /// <summary>In a noflush suspend a write waits for the next table.</summary>
    private void EndHeld(Bio bio) => bio.End(_mirror.Table.Owner.IsNoFlushSuspending ? BioStatus.Requeue : BioStatus.IoError);

    private void Clean(bool atOnce)
    {
        int kept = 0;
        for (int i = 0; i < _marked.Count; i++)
        {
            int region = _marked[i];
            bool? clean = _regions.TryClean(region, atOnce);
            if (clean == true)
            {
                _log.Clear(region);
            }
            else if (clean == false)
            {
                _marked[kept++] = region;
            }
        }

        _marked.RemoveRange(kept, _marked.Count - kept);
    }

    private void SetTimer()
    {
        if (_marked.Count > 0 && !_timerSet)
        {
            _timerSet = true;
            _cleanTimer.Change(CleanAfter, Timeout.InfiniteTimeSpan);
        }
    }
}
