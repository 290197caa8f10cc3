using DeviceMapper.Io;

namespace DeviceMapper.Mapping;

/// <summary>A run of sectors to be copied, or zeroed, by a <see cref="Copier"/>; whoever needs the copy derives from it.</summary>
internal abstract class CopyJob : IBioCompletion
{
    private Copier? _copier;
    private BufferSegment _buffer;
    private ulong _done; // sectors
    private int _piece; // bytes
    private bool _zeroesByWriting; // the device has no write of zeroes of its own

    /// <summary>Where the data are; null to write zeroes.</summary>
    protected BlockDevice? Source { get; set; }

    /// <summary>Where on it.</summary>
    protected Sector SourceSector { get; set; }

    /// <summary>Where the data go.</summary>
    protected BlockDevice? Destination { get; set; }

    /// <summary>Where on it.</summary>
    protected Sector DestinationSector { get; set; }

    /// <summary>How much.</summary>
    protected SectorCount CopyLength { get; set; }

    /// <summary>Link of the copier's list of those that wait for memory.</summary>
    internal CopyJob? NextWaiting { get; set; }

    /// <summary>How many bytes the next step needs.</summary>
    internal int NextPiece => (int)Math.Min((CopyLength.Value - _done) << Sector.Shift, Copier.PieceLength);

    /// <summary>Called once, on any thread, with no lock held; the first error ends the copy.</summary>
    /// <param name="read">How reading ended.</param>
    /// <param name="write">How writing ended.</param>
    protected abstract void CopyEnded(BioStatus read, BioStatus write);

    /// <inheritdoc/>
    void IBioCompletion.BioEnded(Bio bio)
    {
        BioStatus status = bio.Status;
        BioOperation operation = bio.Operation;
        bio.Return();
        if (operation == BioOperation.WriteZeroes)
        {
            if (status == BioStatus.Unsupported)
            {
                _zeroesByWriting = true;
                _copier!.Start(this);
                return;
            }

            Finish(BioStatus.Ok, status);
            return;
        }

        if (status != BioStatus.Ok)
        {
            Finish(operation == BioOperation.Read ? status : BioStatus.Ok, operation == BioOperation.Read ? BioStatus.Ok : status);
        }
        else if (operation == BioOperation.Read)
        {
            Send(BioOperation.Write, Destination!, DestinationSector);
        }
        else
        {
            _done += (ulong)_piece >> Sector.Shift;
            if (_done == CopyLength.Value)
            {
                Finish(BioStatus.Ok, BioStatus.Ok);
            }
            else
            {
                NextStep();
            }
        }
    }

    /// <summary>Prepares to be run from the beginning.</summary>
    internal void Reset(Copier copier)
    {
        _copier = copier;
        _done = 0;
    }

    /// <summary>Asks the device itself to write the zeroes.</summary>
    /// <returns>False where it must be done by writing them.</returns>
    internal bool TryWriteZeroes()
    {
        if (Source is not null || _zeroesByWriting || Destination!.Limits.MaxWriteZeroes == SectorCount.Zero)
        {
            return false;
        }

        Bio bio = Bio.Rent();
        bio.Operation = BioOperation.WriteZeroes;
        bio.Device = Destination;
        bio.Sector = DestinationSector;
        bio.Count = CopyLength;
        bio.Buffer = default;
        bio.Submit(this);
        return true;
    }

    /// <summary>Begins, with memory for a piece.</summary>
    internal void Run(BufferSegment buffer)
    {
        _buffer = buffer;
        if (Source is null)
        {
            buffer.Span.Clear();
        }

        NextStep();
    }

    private void NextStep()
    {
        _piece = Math.Min(NextPiece, _buffer.Length);
        if (Source is null)
        {
            Send(BioOperation.Write, Destination!, DestinationSector);
        }
        else
        {
            Send(BioOperation.Read, Source, SourceSector);
        }
    }

    private void Send(BioOperation operation, BlockDevice device, Sector start)
    {
        Bio bio = Bio.Rent();
        bio.Operation = operation;
        bio.Device = device;
        bio.Sector = start + new SectorCount(_done);
        bio.Count = SectorCount.FromBytes((ulong)_piece);
        bio.Buffer = new BioBuffer(_buffer.Address, _piece);
        bio.Submit(this);
    }

    private void Finish(BioStatus read, BioStatus write)
    {
        BufferSegment buffer = _buffer;
        _buffer = default;
        if (buffer.Length != 0)
        {
            _copier!.GiveBack(buffer);
        }

        CopyEnded(read, write);
    }
}
