using System.Runtime.InteropServices;
using DeviceMapper.Io;
using DeviceMapper.Nbd.Protocol;

namespace DeviceMapper.Nbd.Server.Commands;

/// <summary>
/// TRIM, WRITE_ZEROES and CACHE: a range without data, which may be longer than any buffer. Where the device cannot write zeroes,
/// zeroes are written, piece by piece, unless the client wants them fast or not at all.
/// </summary>
/// <remarks>A discard that does not begin at a multiple of the granularity is two, as the kernel's BLKDISCARD makes it: both are done, and the first error counts.</remarks>
internal sealed class RangeCommand(Transmission connection) : Command(connection)
{
    private const int PieceLength = 1 << 20;

    // Written from by all connections, and read into by all: nobody looks at what is read.
    private static readonly Lazy<nint> Zeroes = new(AllocateZeroes);
    private static readonly Lazy<nint> Waste = new(AllocateZeroes);

    private NbdCommand _command;
    private NbdCommandFlags _flags;
    private Sector _start;
    private SectorCount _left;
    private BioStatus _discarded; // the first error of a discard's pieces

    public void Start(in NbdRequest request)
    {
        Connection.Begin(this, request.Cookie, NbdTransmission.SimpleReplyLength);
        _command = request.Command;
        _flags = request.Flags;
        _start = Sector.FromBytes(request.Offset);
        _left = SectorCount.FromBytes(request.Length);
        switch (_command)
        {
            case NbdCommand.Trim:
                _discarded = BioStatus.Ok;
                SubmitDiscard();
                break;
            case NbdCommand.WriteZeroes:
                Submit(BioOperation.WriteZeroes, (_flags & NbdCommandFlags.NoHole) != 0 ? BioFlags.NoUnmap : BioFlags.None, _left, default);
                break;
            default:
                SubmitPiece(BioOperation.Read, Waste.Value);
                break;
        }
    }

    /// <inheritdoc/>
    public override void BioEnded(Bio bio)
    {
        BioStatus status = bio.Status;
        BioOperation done = bio.Operation;
        SectorCount count = bio.Count;
        bio.Return();
        if (done == BioOperation.WriteZeroes && status == BioStatus.Unsupported && (_flags & NbdCommandFlags.FastZero) == 0)
        {
            SubmitPiece(BioOperation.Write, Zeroes.Value);
            return;
        }

        if (done == BioOperation.Discard)
        {
            _discarded = status = _discarded != BioStatus.Ok ? _discarded : status;
            if (count < _left)
            {
                _start += count;
                _left -= count;
                SubmitDiscard();
                return;
            }
        }

        if (status != BioStatus.Ok || done == BioOperation.Flush)
        {
            FinishSimply(status.ToNbd());
            return;
        }

        _start += count;
        _left -= count;
        if (_left != SectorCount.Zero)
        {
            SubmitPiece(done, done == BioOperation.Read ? Waste.Value : Zeroes.Value);
        }
        else if (done != BioOperation.Read && (_flags & NbdCommandFlags.Fua) != 0)
        {
            Submit(BioOperation.Flush, BioFlags.None, SectorCount.Zero, default);
        }
        else
        {
            FinishSimply(NbdError.None);
        }
    }

    /// <inheritdoc/>
    public override void Recycle() => Connection.Ranges.Return(this);

    private static unsafe nint AllocateZeroes()
    {
        void* zeroes = NativeMemory.AlignedAlloc(PieceLength, 4096);
        NativeMemory.Clear(zeroes, PieceLength);
        return (nint)zeroes;
    }

    private void SubmitDiscard() =>
        Submit(BioOperation.Discard, BioFlags.None, SectorCount.Min(_left, Connection.Device.Limits.DiscardRoomAt(_start)), default);

    private void SubmitPiece(BioOperation operation, nint memory)
    {
        SectorCount count = SectorCount.Min(_left, SectorCount.FromBytes(PieceLength));
        Submit(operation, BioFlags.None, count, new BioBuffer(memory, (int)count.Bytes));
    }

    private void Submit(BioOperation operation, BioFlags flags, SectorCount count, BioBuffer buffer)
    {
        Bio bio = Bio.Rent();
        bio.Operation = operation;
        bio.Flags = flags;
        bio.Sector = operation == BioOperation.Flush ? default : _start;
        bio.Count = count;
        bio.Buffer = buffer;
        bio.Device = Connection.Device;
        bio.Submit(this);
    }
}
