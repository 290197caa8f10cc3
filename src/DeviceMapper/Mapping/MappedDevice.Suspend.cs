using DeviceMapper.Io;
using DeviceMapper.Native;
using DeviceMapper.Targets;

namespace DeviceMapper.Mapping;

/// <content>Suspend, resume and the swap of tables (the kernel's <c>dm_suspend</c>, <c>do_resume</c> and <c>dm_swap_table</c>).</content>
public sealed partial class MappedDevice
{
    private volatile bool _suspended;
    private volatile bool _dead; // destroyed: whatever still comes ends with EIO

    /// <summary>Whether a noflush suspend is under way: bios that targets hand back are kept (the kernel's <c>dm_noflush_suspending</c>).</summary>
    internal bool IsNoFlushSuspending => _requeueing;

    /// <summary>Whether it is being removed: targets fail the bios that they hold.</summary>
    internal bool IsEnding
    {
        get
        {
            lock (_state)
            {
                return _removing || _dead;
            }
        }
    }

    /// <summary>Suspends (DM_DEV_SUSPEND with DM_SUSPEND_FLAG): bios in flight end, new ones wait. Nothing to do where it is suspended.</summary>
    /// <exception cref="DmException">EINTR: <paramref name="cancellation"/>; the suspend is undone.</exception>
    public void Suspend(SuspendOptions options = SuspendOptions.None, CancellationToken cancellation = default)
    {
        LockSuspend(cancellation);
        try
        {
            if (!_suspended)
            {
                SuspendLocked(options, cancellation);
            }
        }
        finally
        {
            _suspending.Release();
        }
    }

    /// <summary>
    /// Makes the inactive table live, if there is one, suspending first where that is not done, and resumes (DM_DEV_SUSPEND without
    /// DM_SUSPEND_FLAG). The table that was live is destroyed last of all.
    /// </summary>
    /// <exception cref="DmException">
    /// EINVAL: suspended without a table, or the new table's sizes or limits do not fit: it is destroyed, the old one stays, suspended; or the
    /// new table leads back to this device: it stays inactive, and the live table goes on. A target's errno: its preresume
    /// failed; the new table is live, and suspended. EINTR: <paramref name="cancellation"/> during the suspend; the new table is inactive again.
    /// </exception>
    public void Resume(SuspendOptions options = SuspendOptions.None, CancellationToken cancellation = default)
    {
        BeginWork();
        Table? old = null;
        try
        {
            SwapAndResume(options, cancellation, ref old);
        }
        finally
        {
            old?.Destroy();
            EndWork();
        }
    }

    private void SwapAndResume(SuspendOptions options, CancellationToken cancellation, ref Table? old)
    {
        LockSuspend(cancellation);
        try
        {
            SectorCount size = Size;
            bool readOnly = IsReadOnly;
            bool swapped = false;
            Table? next = Registry.Topology.Enter(this, TakeInactive, PutBack);
            try
            {
                if (next is not null)
                {
                    SuspendForSwap(next, options, cancellation);
                    old = Swap(next);
                    swapped = true;
                }
            }
            finally
            {
                Registry.Topology.Leave(this);
            }

            if (_suspended)
            {
                ResumeLocked();
                Registry.NotifyResumed(this, swapped && (size != Size || readOnly != IsReadOnly), firstTime: !HasAppeared);
                HasAppeared = true;
            }
        }
        finally
        {
            _suspending.Release();
        }
    }

    /// <summary>Waits for another suspend or resume of this device to be over.</summary>
    private void LockSuspend(CancellationToken cancellation)
    {
        try
        {
            _suspending.Wait(cancellation);
        }
        catch (OperationCanceledException)
        {
            throw new DmException(Errno.EINTR, $"gave up waiting for another suspend or resume of '{Name}'");
        }

        if (_dead)
        {
            _suspending.Release();
            throw new DmException(Errno.ENXIO, $"'{Name}' has been removed");
        }
    }

    private Table? TakeInactive() => Stage(null);

    private void PutBack(Table table)
    {
        bool replaced;
        lock (_state)
        {
            replaced = _inactive is not null || _removing;
            if (!replaced)
            {
                _inactive = table;
            }
        }

        if (replaced)
        {
            table.Destroy();
        }
    }

    /// <summary>A suspend that fails leaves the new table inactive, unless another was loaded meanwhile.</summary>
    private void SuspendForSwap(Table next, SuspendOptions options, CancellationToken cancellation)
    {
        if (_suspended)
        {
            return;
        }

        try
        {
            SuspendLocked(options, cancellation);
        }
        catch
        {
            PutBack(next);
            throw;
        }
    }

    private void SuspendLocked(SuspendOptions options, CancellationToken cancellation)
    {
        Target[] targets = _live?.TargetArray ?? [];
        _requeueing = (options & SuspendOptions.NoFlush) != 0;
        Tell(targets, static t => t.Presuspend());
        FreezeUnless(options, targets);
        Volatile.Write(ref _gate, GateDraining);
        Interlocked.MemoryBarrierProcessWide(); // the other half of InFlightCounter.Enter
        if (!WaitUntilDrained(cancellation))
        {
            _requeueing = false;
            Tell(targets, static t => t.PresuspendUndo());
            OpenGate();
            Registry.Thaw(this);
            throw new DmException(Errno.EINTR, $"gave up waiting for I/Os of '{Name}'; it was not suspended");
        }

        Volatile.Write(ref _gate, GateClosed);
        _requeueing = false;
        _suspended = true;
        Tell(targets, static t => t.Postsuspend());
    }

    /// <summary>Freezes the file systems on it, as the kernel's <c>lock_fs</c>: not where I/O may be kept back, which they would wait for.</summary>
    private void FreezeUnless(SuspendOptions options, Target[] targets)
    {
        if ((options & (SuspendOptions.NoFlush | SuspendOptions.SkipLockFs)) != 0)
        {
            return;
        }

        try
        {
            Registry.Freeze(this);
        }
        catch
        {
            Tell(targets, static t => t.PresuspendUndo());
            throw;
        }
    }

    private bool WaitUntilDrained(CancellationToken cancellation)
    {
        using CancellationTokenRegistration wake = cancellation.Register(WakeSuspend);
        lock (_parked)
        {
            while (_inFlight.Sum() != 0)
            {
                if (cancellation.IsCancellationRequested)
                {
                    return false;
                }

                Monitor.Wait(_parked);
            }
        }

        return true;
    }

    /// <summary>Makes a table live. No bio is in flight. On refusal the new table is destroyed, and the old one stays.</summary>
    /// <returns>The table that was live.</returns>
    private Table? Swap(Table next)
    {
        try
        {
            next.ComputeLimits();
        }
        catch
        {
            next.Destroy();
            throw;
        }

        Table? old = ReplaceLive(next);
        Geometry = old?.Size == next.Size ? Geometry : null;
        ReadAhead = ReadAheadOf(next.Limits);
        Registry.RaiseEvent();
        return old;
    }

    private void ResumeLocked()
    {
        Target[] targets = _live?.TargetArray
            ?? throw new DmException(Errno.EINVAL, $"'{Name}' has no table to resume with");
        foreach (Target target in targets)
        {
            try
            {
                target.Preresume();
            }
            catch (DmException e)
            {
                Logger.PreresumeFailed(Name, e.Message);
                throw;
            }
            catch (Exception e)
            {
                target.Table.LogTargetBug(target, e);
                throw new DmException(Errno.EIO, $"{target.Type.Name}: a bug of the target keeps '{Name}' from being resumed: {e.Message}", e);
            }
        }

        Tell(targets, static t => t.Resume());
        _suspended = false;
        OpenGate();
        Registry.Thaw(this);
    }

    /// <summary>Has all targets do a step that cannot fail. A bug in one must neither keep the others from it, nor leave the device half way.</summary>
    private static void Tell(Target[] targets, Action<Target> step)
    {
        foreach (Target target in targets)
        {
            try
            {
                step(target);
            }
            catch (Exception e)
            {
                target.Table.LogTargetBug(target, e);
            }
        }
    }

    private Table? ReplaceLive(Table? next)
    {
        lock (_state)
        {
            Table? old = _live;
            Volatile.Write(ref _live, next);
            return old;
        }
    }

    /// <summary>Lets bios in, and sends those that waited, in order.</summary>
    private void OpenGate()
    {
        Bio? bio;
        lock (_parked)
        {
            bio = _parkedBios.TakeAll();
            Volatile.Write(ref _gate, GateOpen);
        }

        BioThread thread = BioThread.Current;
        while (bio is not null)
        {
            Bio? next = bio.Next;
            bio.Next = null;
            thread.Submit(bio);
            bio = next;
        }
    }

    /// <summary>
    /// For the end of the process, with users that do not close: what waits ends with EIO, and from now on everything does. It counts as closed.
    /// </summary>
    internal void Abort()
    {
        Volatile.Write(ref _gate, GateClosed);
        EndParked();
        lock (_state)
        {
            _openCount = 0;
        }
    }

    /// <summary>For the destruction: waits for bios in flight, ends those that wait with EIO, and takes the live table.</summary>
    private Table? EndIo()
    {
        if (!_suspended)
        {
            SuspendLocked(SuspendOptions.SkipLockFs, CancellationToken.None);
        }

        EndParked();
        return ReplaceLive(null);
    }

    /// <summary>Ends the bios that wait, and from now on all that come.</summary>
    private void EndParked()
    {
        Bio? bio;
        lock (_parked)
        {
            _dead = true;
            bio = _parkedBios.TakeAll();
        }

        while (bio is not null)
        {
            Bio? next = bio.Next;
            bio.Next = null;
            bio.End(BioStatus.IoError);
            bio = next;
        }
    }
}
