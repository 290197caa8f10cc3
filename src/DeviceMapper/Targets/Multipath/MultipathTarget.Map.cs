using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Multipath;

/// <content>The way of a bio: the choice of a path, errors, and waiting without a path.</content>
public sealed partial class MultipathTarget
{
    private const uint TimedShare = 64; // of so many I/Os of a path one is timed, where the selector needs no times: a clock costs 20 ns
    private const int LatencyWeight = 8; // of the past in the moving average, less one

    private readonly BioList _held = new(); // without a path, in order; guarded by _lock

    private enum Choice
    {
        Path,
        Held,
        MayNotWait,
        None,
    }

    /// <inheritdoc/>
    public override MapResult Map(Bio bio)
    {
        if (bio.Operation == BioOperation.Flush && _caches.Length > 1)
        {
            return MapFlush(bio);
        }

        if (bio.IsWrite)
        {
            Samples.Writing(bio.Sector, bio.Count);
            if (!Doubt.IsEmpty && MapDoubtful(bio) is { } result)
            {
                return result;
            }
        }

        switch (Choose(bio, out MultipathPath? path))
        {
            case Choice.Path:
                SendTo(bio, path!);
                return MapResult.Remapped;
            case Choice.Held:
                return MapResult.Submitted;
            case Choice.MayNotWait:
                bio.End(BioStatus.Again);
                return MapResult.Submitted;
            default:
                return MapResult.Requeue; // in a noflush suspend the next table may have a path; else EIO
        }
    }

    /// <inheritdoc/>
    public override EndResult EndIo(Bio bio, ref BioStatus status)
    {
        if (bio.Context is not MultipathPath path)
        {
            return EndResult.Done; // it waited, and was on no path
        }

        Account(bio, path);
        if (!BlamesPath(status))
        {
            if (bio.IsWrite && status == BioStatus.Ok && (bio.Flags & BioFlags.Fua) == 0)
            {
                path.Cache?.Wrote();
            }

            return EndResult.Done;
        }

        MarkDoubtful(path, bio, status);
        FailAfterError(path, status);
        if (bio.Operation == BioOperation.Flush && _caches.Length > 1)
        {
            return RetryFlush(bio, ref status);
        }

        if (Volatile.Read(ref _activePaths) == 0 && !MayHold)
        {
            status = BioStatus.Requeue; // as the kernel, without a choice: the group stays the current one
            return EndResult.Done;
        }

        switch (Choose(bio, out MultipathPath? other))
        {
            case Choice.Path:
                SendTo(bio, other!);
                bio.Send();
                return EndResult.Incomplete;
            case Choice.Held:
                return EndResult.Incomplete;
            case Choice.MayNotWait:
                status = BioStatus.Again;
                return EndResult.Done;
            default:
                status = BioStatus.Requeue;
                return EndResult.Done;
        }
    }

    /// <summary>
    /// Whether another path may do better (the kernel's <c>blk_path_error</c>): not where the device itself has answered, or where
    /// the request was wrong.
    /// </summary>
    private static bool BlamesPath(BioStatus status) => status is BioStatus.IoError or BioStatus.Transport or BioStatus.Timeout;

    private void SendTo(Bio bio, MultipathPath path)
    {
        bio.Device = path.Device!.Device;
        bio.Context = path;
        bio.Flags |= BioFlags.FailFast;
        bio.Connection = path.Connection;
        path.Add(bio.Count);
        bio.ContextValue = path.Group.Selector.NeedsTimes || path.Given++ % TimedShare == 0 ? _clock.Now : 0;
    }

    private void Account(Bio bio, MultipathPath path)
    {
        bio.Context = null;
        bio.Connection = 0;
        path.Subtract(bio.Count);
        if (bio.ContextValue != 0)
        {
            ulong now = _clock.Now;
            long took = (long)(now - bio.ContextValue);
            path.Latency = path.Latency == 0 ? took : path.Latency + ((took - path.Latency) / LatencyWeight);
            path.Group.Selector.Timed(path, bio.ContextValue, now);
        }
    }

    /// <summary>Finds the path of a bio. Without a path, and where it may wait, the bio is put to those that do.</summary>
    private Choice Choose(Bio bio, out MultipathPath? path)
    {
        path = _next is null ? _current?.Selector.Select(bio.Count) : null;
        if (path is not null)
        {
            return Choice.Path;
        }

        lock (_lock)
        {
            path = ChooseLocked(bio.Count);
            if (path is not null)
            {
                return Choice.Path;
            }

            if (!MayHold)
            {
                return Choice.None;
            }

            if ((bio.Flags & BioFlags.NoWait) != 0)
            {
                return Choice.MayNotWait;
            }

            _held.Add(bio);
            return Choice.Held;
        }
    }

    /// <summary>The kernel's <c>choose_pgpath</c>: the group that was asked for, the current one, any that is not disabled, any.</summary>
    private MultipathPath? ChooseLocked(SectorCount incoming)
    {
        if (_activePaths > 0)
        {
            PriorityGroup? next = _next;
            _next = null;
            if ((Take(next, incoming) ?? Take(_current, incoming)) is { } path)
            {
                return path;
            }

            foreach (bool bypassed in (ReadOnlySpan<bool>)[false, true])
            {
                foreach (PriorityGroup group in _groups)
                {
                    if (group.IsBypassed == bypassed && Take(group, incoming) is { } found)
                    {
                        return found;
                    }
                }
            }
        }
        else
        {
            _queueIo = false;
        }

        _current = null;
        return null;
    }

    private MultipathPath? Take(PriorityGroup? group, SectorCount incoming)
    {
        MultipathPath? path = group?.Selector.Select(incoming);
        if (path is not null && _current != group)
        {
            _current = group;
            _queueIo = false;
        }

        return path;
    }

    /// <summary>Sends bios that have waited on, in order; or ends those that may not wait any longer. Never called with the lock held.</summary>
    private void Resubmit(Bio? bio)
    {
        while (bio is not null)
        {
            Bio? following = bio.Next;
            bio.Next = null;
            switch (Map(bio))
            {
                case MapResult.Remapped:
                    bio.Send();
                    break;
                case MapResult.Requeue:
                    bio.End(BioStatus.Requeue);
                    break;
            }

            bio = following;
        }
    }
}
