using System.Buffers.Binary;
using DeviceMapper.Io;

namespace DeviceMapper.Targets.Snapshots;

/// <content>
/// Makes exceptions durable: flush, then the area with FUA; before an area is full on the device, the next is zeroed. Exceptions that
/// finish during a write go together with the next one. Nothing waits: the end of each bio starts the next step.
/// </content>
internal sealed partial class PersistentStore : IBioCompletion
{
    private enum Step
    {
        Idle,
        ZeroNext,
        Flush,
        WriteArea,
    }

    private readonly CommitOrder _order = new(); // also the lock of all that follows, and of the area
    private readonly List<PendingException> _written = []; // in the area in memory, not yet on the device
    private long _sequence;
    private int _pending; // chunks taken, and not yet in the area
    private Step _step;

    /// <inheritdoc/>
    public override void Commit(PendingException exception)
    {
        lock (_order)
        {
            _order.Finish(exception);
        }

        Advance();
    }

    /// <inheritdoc/>
    public override void Invalidate(Snapshot snapshot)
    {
        _valid = false;
        new HeaderWrite(this, snapshot).Start();
    }

    /// <inheritdoc/>
    void IBioCompletion.BioEnded(Bio bio)
    {
        BioStatus status = bio.Status;
        bio.Return();
        lock (_order)
        {
            _valid &= status == BioStatus.Ok;
        }

        GoOn();
    }

    /// <summary>Puts finished exceptions into the area, in order, and starts to write it when none is under way or it is full.</summary>
    private void Advance()
    {
        while (true)
        {
            PendingException[] done;
            lock (_order)
            {
                if (_step != Step.Idle || !Collect())
                {
                    return;
                }

                if (_valid)
                {
                    _step = _committed == _perArea ? Step.ZeroNext : Step.Flush;
                    done = [];
                }
                else
                {
                    done = TakeWritten();
                }
            }

            if (done.Length == 0)
            {
                SendStep();
                return;
            }

            Tell(done, false);
        }
    }

    /// <summary>Moves finished exceptions to the area.</summary>
    /// <returns>Whether the area has to be written: nothing more is on the way, or it is full.</returns>
    private bool Collect()
    {
        while (_committed < _perArea && _order.TakeNext() is { } exception)
        {
            _valid &= !exception.CopyFailed;
            Span<byte> place = Area.Slice(_committed * ExceptionLength, ExceptionLength);
            BinaryPrimitives.WriteUInt64LittleEndian(place, exception.OldChunk);
            BinaryPrimitives.WriteUInt64LittleEndian(place[8..], exception.NewChunk);
            _committed++;
            _pending--;
            _written.Add(exception);
        }

        return _written.Count > 0 && (_pending == 0 || _committed == _perArea);
    }

    private void SendStep()
    {
        Bio bio = Bio.Rent();
        bio.Device = Cow;
        bio.Operation = BioOperation.Write;
        bio.Count = new SectorCount(ChunkSize);
        switch (_step)
        {
            case Step.ZeroNext:
                bio.Sector = AreaSector(_currentArea + 1);
                bio.Buffer = _zeroes!.Buffer;
                break;
            case Step.Flush:
                bio.Operation = BioOperation.Flush;
                bio.Sector = default;
                bio.Count = default;
                bio.Buffer = default;
                break;
            default:
                bio.Sector = AreaSector(_currentArea);
                bio.Buffer = _area!.Buffer;
                bio.Flags = BioFlags.Fua;
                break;
        }

        bio.Submit(this);
    }

    /// <summary>A step has ended: the next one, or the end of the exceptions that were written.</summary>
    private void GoOn()
    {
        PendingException[] done = [];
        bool valid;
        lock (_order)
        {
            valid = _valid;
            if (valid && _step != Step.WriteArea)
            {
                _step = _step == Step.ZeroNext ? Step.Flush : Step.WriteArea;
            }
            else
            {
                _step = Step.Idle;
                done = TakeWritten();
            }
        }

        if (done.Length == 0)
        {
            SendStep();
            return;
        }

        Tell(done, valid);
        Advance();
    }

    private PendingException[] TakeWritten()
    {
        if (_committed == _perArea)
        {
            _committed = 0;
            _currentArea++;
            Area.Clear();
        }

        PendingException[] written = [.. _written];
        _written.Clear();
        return written;
    }

    private static void Tell(PendingException[] exceptions, bool valid)
    {
        foreach (PendingException exception in exceptions)
        {
            exception.Committed(valid);
        }
    }

    /// <summary>Writes the header of a store that is invalid from now on.</summary>
    private sealed class HeaderWrite(PersistentStore store, Snapshot snapshot) : IBioCompletion
    {
        private readonly Chunk _header = store.NewHeader(valid: false);

        public void Start()
        {
            Bio bio = Bio.Rent();
            bio.Device = store.Cow;
            bio.Operation = BioOperation.Write;
            bio.Sector = default;
            bio.Count = new SectorCount(store.ChunkSize);
            bio.Buffer = _header.Buffer;
            bio.Flags = BioFlags.Fua;
            bio.Submit(this);
        }

        public void BioEnded(Bio bio)
        {
            bio.Return();
            _header.Dispose();
            snapshot.Invalidated();
        }
    }
}
