using System.Runtime.CompilerServices;
using DeviceMapper.Io;
using DeviceMapper.Targets;

namespace DeviceMapper.Mapping;

/// <content>The way of a bio through it (the kernel's <c>dm_submit_bio</c> and <c>__split_and_process_bio</c>).</content>
public sealed partial class MappedDevice
{
    private const int GateOpen = 0;
    private const int GateDraining = 1; // new bios are parked, a suspend waits for those in flight
    private const int GateClosed = 2; // suspended

    private readonly InFlightCounter _inFlight = new();
    private readonly object _parked = new(); // guards the list, and pulses when a bio has ended behind a closed gate
    private readonly BioList _parkedBios = new();

    private int _gate;
    private volatile bool _requeueing; // a noflush suspend is under way: targets may hand bios back
    private Table? _live; // written only while the gate is closed and no bio is in flight

    /// <summary>Bios that were submitted to it and have not ended, without those that wait for a resume; and those that are being mapped, twice.</summary>
    public long InFlight => _inFlight.Sum();

    /// <summary>Bios that wait for a resume.</summary>
    public int Parked
    {
        get
        {
            lock (_parked)
            {
                return _parkedBios.Count;
            }
        }
    }

    /// <inheritdoc/>
    protected internal override void Process(Bio bio) => throw new InvalidOperationException("Bios reach a mapped device by their route.");

    /// <summary>
    /// Maps a bio that has arrived: makes its clones, has their targets map them, and submits them. The map itself counts as in flight, so
    /// that a target may still use what it has after it has passed a bio on or ended it (the kernel's SRCU read lock in <c>dm_submit_bio</c>).
    /// </summary>
    /// <returns>The clone that is to be sent on, where there is just one; else null.</returns>
    internal Bio? Map(Bio bio, BioThread thread)
    {
        _inFlight.Enter(thread);
        if (Volatile.Read(ref _gate) != GateOpen)
        {
            _inFlight.Undo(thread);
            WakeSuspend();
            Park(bio);
            return null;
        }

        try
        {
            bio.Pending = 1;
            bio.FirstError = 0;
            return MapByTable(bio, _live, thread);
        }
        finally
        {
            Leave(thread);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Bio? MapByTable(Bio bio, Table? table, BioThread thread)
    {
        if (table is null)
        {
            return Finish(bio, BioStatus.IoError, thread);
        }

        if (!bio.HasData)
        {
            return MapWithoutData(bio, table, thread);
        }

        BioStatus status = table.Check(bio);
        if (status != BioStatus.Ok)
        {
            return Finish(bio, status, thread);
        }

        Target target = table.Find(bio.Sector, thread);
        if (bio.Count <= target.RoomAt(bio.Sector))
        {
            _statistics.Snapshot?.Begin(ref bio.Statistics, bio, thread);
            Bio clone = Bio.RentFrom(thread);
            clone.CloneFrom(bio, this, target);
            return MapClone(clone, target);
        }

        return Split(bio, table, target, thread);
    }

    /// <summary>A bio has ended at this level.</summary>
    /// <returns>False where it was handed back in a noflush suspend, and waits for the resume.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool Exit(BioThread thread, Bio bio, ref BioStatus status)
    {
        if (bio.Statistics.Regions is { } statistics)
        {
            statistics.End(ref bio.Statistics, thread, Counts(status));
        }

        bool requeued = status == BioStatus.Requeue && TryRequeue(bio, ref status);
        Leave(thread);
        return !requeued;
    }

    /// <summary>A piece of a bio that was cut has ended, and is counted by itself.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal void EndPiece(BioThread thread, Bio clone, BioStatus status) =>
        clone.PieceStatistics.Regions!.End(ref clone.PieceStatistics, thread, Counts(status));

    private bool Counts(BioStatus status) => status != BioStatus.Requeue || !_requeueing;

    /// <summary>A bio, or a map, is over; a suspend may wait for that.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Leave(BioThread thread)
    {
        _inFlight.Exit(thread);
        if (Volatile.Read(ref _gate) != GateOpen)
        {
            WakeSuspend();
        }
    }

    private Bio? Finish(Bio bio, BioStatus status, BioThread thread)
    {
        if (Exit(thread, bio, ref status))
        {
            bio.End(status);
        }

        return null;
    }

    /// <summary>Gives a clone to its target.</summary>
    /// <returns>The clone, where it is to be sent on.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Bio? MapClone(Bio clone, Target target)
    {
        switch (MapKeepingExceptions(clone, target))
        {
            case MapResult.Remapped:
                return clone;
            case MapResult.Requeue:
                clone.EndMapped(BioStatus.Requeue);
                break;
            case MapResult.Kill:
                Uncount(clone);
                clone.EndMapped(BioStatus.IoError);
                break;
        }

        return null;
    }

    /// <summary>As in the kernel, what no target maps is not counted: a bio, or a piece of one that is cut.</summary>
    private static void Uncount(Bio clone)
    {
        Bio bio = clone.Parent!;
        bio.Statistics.Regions?.Forget(ref bio.Statistics, BioThread.Current);
        clone.PieceStatistics.Regions?.Forget(ref clone.PieceStatistics, BioThread.Current);
    }

    private static MapResult MapKeepingExceptions(Bio clone, Target target)
    {
        try
        {
            return target.Map(clone);
        }
        catch (Exception e)
        {
            target.Table.LogTargetBug(target, e);
            return MapResult.Kill;
        }
    }

    /// <summary>Cuts a read or write at the ends of targets and at their largest I/O.</summary>
    private Bio? Split(Bio bio, Table table, Target target, BioThread thread)
    {
        Sector at = bio.Sector;
        SectorCount left = bio.Count;
        int offset = 0;
        while (true)
        {
            SectorCount length = SectorCount.Min(left, target.RoomAt(at));
            Bio clone = Bio.RentFrom(thread);
            clone.CloneFrom(bio, this, target);
            clone.Sector = at;
            clone.Count = length;
            clone.Buffer = bio.Buffer.Slice(offset, (int)length.Bytes);
            clone.TagsOffset += offset;
            _statistics.Snapshot?.Begin(ref clone.PieceStatistics, clone, thread);
            SendPiece(bio, clone, target, thread);
            left -= length;
            if (left == SectorCount.Zero)
            {
                return EndOfPieces(bio, thread);
            }

            at += length;
            offset += (int)length.Bytes;
            target = table.Find(at, thread);
        }
    }

    /// <summary>Flushes, discards, secure erases and writes of zeroes (the kernel's <c>__process_abnormal_io</c> and <c>__send_empty_flush</c>).</summary>
    private Bio? MapWithoutData(Bio bio, Table table, BioThread thread)
    {
        if (bio.Operation == BioOperation.Flush)
        {
            _statistics.Snapshot?.Pass(bio);
            return Flush(bio, table, thread);
        }

        BioStatus status = table.Check(bio);
        SectorCount largest = table.LargestOf(bio.Operation);
        if (status != BioStatus.Ok || largest == SectorCount.Zero)
        {
            return Finish(bio, status == BioStatus.Ok ? BioStatus.Unsupported : status, thread);
        }

        Sector at = bio.Sector;
        SectorCount left = bio.Count;
        while (left != SectorCount.Zero)
        {
            Target target = table.Find(at, thread);
            SectorCount length = SectorCount.Min(left, target.RoomAt(at, bio.Operation, largest));
            int copies = target.BiosFor(bio.Operation);
            if (copies == 0)
            {
                Interlocked.CompareExchange(ref bio.FirstError, (int)BioStatus.Unsupported, 0);
            }

            for (int i = 0; i < copies; i++)
            {
                Bio clone = Bio.RentFrom(thread);
                clone.CloneFrom(bio, this, target);
                clone.Sector = at;
                clone.Count = length;
                clone.TargetBioNumber = i;
                if (i == 0)
                {
                    _statistics.Snapshot?.Begin(ref clone.PieceStatistics, clone, thread);
                }

                SendPiece(bio, clone, target, thread);
            }

            at += length;
            left -= length;
        }

        return EndOfPieces(bio, thread);
    }

    /// <summary>Sends a flush to every device of the table once, or through the maps of targets that want to see it.</summary>
    private Bio? Flush(Bio bio, Table table, BioThread thread)
    {
        if (table.FlushDevices is { } devices)
        {
            foreach (DeviceReference device in devices)
            {
                Bio clone = Bio.RentFrom(thread);
                clone.CloneFrom(bio, this, null);
                clone.Device = device.Device;
                Interlocked.Increment(ref bio.Pending);
                thread.Submit(clone);
            }

            return EndOfPieces(bio, thread);
        }

        foreach (Target target in table.TargetArray)
        {
            for (int i = 0; i < target.FlushBios; i++)
            {
                Bio clone = Bio.RentFrom(thread);
                clone.CloneFrom(bio, this, target);
                clone.TargetBioNumber = i;
                SendPiece(bio, clone, target, thread);
            }
        }

        return EndOfPieces(bio, thread);
    }

    private static void SendPiece(Bio bio, Bio clone, Target target, BioThread thread)
    {
        Interlocked.Increment(ref bio.Pending);
        if (MapClone(clone, target) is { } remapped)
        {
            thread.Submit(remapped); // joins this thread's list: pieces of pieces do not deepen the stack
        }
    }

    /// <summary>All pieces are on their way: drops the count that kept the bio from ending before.</summary>
    private Bio? EndOfPieces(Bio bio, BioThread thread) =>
        Volatile.Read(ref bio.Pending) == 1 || Interlocked.Decrement(ref bio.Pending) == 0
            ? Finish(bio, (BioStatus)bio.FirstError, thread)
            : null;

    /// <summary>Puts a bio to those that wait for the resume, in order; or sends it, if the gate has been opened meanwhile.</summary>
    private void Park(Bio bio)
    {
        BioStatus status;
        lock (_parked)
        {
            if (_gate == GateOpen)
            {
                goto Send;
            }

            if ((bio.Flags & (BioFlags.NoWait | BioFlags.ReadAhead)) == 0 && !_dead)
            {
                _parkedBios.Add(bio);
                return;
            }

            status = _dead || (bio.Flags & BioFlags.NoWait) == 0 ? BioStatus.IoError : BioStatus.Again;
        }

        bio.End(status);
        return;

    Send:
        BioThread.Current.Submit(bio);
    }

    private bool TryRequeue(Bio bio, ref BioStatus status)
    {
        if (_requeueing)
        {
            lock (_parked)
            {
                if (_requeueing)
                {
                    _parkedBios.AddBeforeParked(bio);
                    return true;
                }
            }
        }

        status = BioStatus.IoError;
        return false;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void WakeSuspend()
    {
        lock (_parked)
        {
            Monitor.PulseAll(_parked);
        }
    }
}
