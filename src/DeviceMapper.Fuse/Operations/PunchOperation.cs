using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Fuse.Operations;

/// <summary>
/// A hole that is punched: what a device's file has in place of a discard. It is refused where the device takes no discards, and
/// the range reads as zeroes afterwards, which a discard alone does not promise and a loop device over the file relies on.
/// </summary>
/// <remarks>
/// One write of zeroes that may unmap, where all targets have that. Else a discard, and then a look at what the range reads: what
/// is not zero is written over, and nothing more, so that the blocks that a thin volume has just given back stay with the pool.
/// </remarks>
internal sealed class PunchOperation(FuseServer server, FuseFile file, ulong unique, Sector start, SectorCount count)
    : IBioCompletion, IGateEntrant
{
    private const int PieceLength = IoBuffers.MaxRequest;
    private const int Unit = 4096; // in which zeroes are told from data, and written

    private Sector _at = start; // the piece that is looked at
    private SectorCount _left = count;
    private IoBuffer _piece;
    private int _looked; // bytes of the piece that are zeroes by now

    /// <inheritdoc/>
    public IGateEntrant? NextEntrant { get; set; }

    /// <inheritdoc/>
    public bool IsExclusive => false;

    /// <inheritdoc/>
    public void Enter()
    {
        QueueLimits limits = file.Device.Limits;
        if (limits.MaxDiscard == SectorCount.Zero)
        {
            End(Errno.EOPNOTSUPP);
            return;
        }

        Submit(limits.MaxWriteZeroes != SectorCount.Zero ? BioOperation.WriteZeroes : BioOperation.Discard, _at, _left, default);
    }

    /// <inheritdoc/>
    public void BioEnded(Bio bio)
    {
        Errno errno = bio.Status.ToErrno();
        BioOperation done = bio.Operation;
        bio.Return();
        switch (done)
        {
            case BioOperation.WriteZeroes when errno == Errno.EOPNOTSUPP: // another table has become live
                Submit(BioOperation.Discard, _at, _left, default);
                break;
            case BioOperation.Discard when errno == Errno.None:
                _piece = server.Buffers.Rent((int)Math.Min(_left.Bytes, PieceLength));
                SubmitPiece(BioOperation.Read);
                break;
            case BioOperation.Read or BioOperation.Write when errno == Errno.None && TryClearRun(out BioBuffer run, out Sector at):
                Submit(BioOperation.Write, at, SectorCount.FromBytes((ulong)run.Length), run);
                break;
            case BioOperation.Read or BioOperation.Write when errno == Errno.None && Advance():
                SubmitPiece(BioOperation.Read);
                break;
            case BioOperation.Read:
                End(Errno.None); // it was discarded; that it cannot be read is for who reads it
                break;
            default:
                End(errno);
                break;
        }
    }

    private SectorCount PieceCount => SectorCount.Min(_left, SectorCount.FromBytes(PieceLength));

    private unsafe Span<byte> Piece => new((void*)_piece.Address, (int)PieceCount.Bytes);

    /// <summary>Clears the next run of data in the piece.</summary>
    /// <returns>False: all that is left of it is zero.</returns>
    private bool TryClearRun(out BioBuffer run, out Sector at)
    {
        (run, at) = (default, default);
        Span<byte> piece = Piece;
        int data = piece[_looked..].IndexOfAnyExcept((byte)0);
        if (data < 0)
        {
            return false;
        }

        int unit = (int)Math.Max(Unit, file.Device.Limits.LogicalBlockSize);
        int before = (int)(_at.Bytes % (ulong)unit); // units are the device's, wherever the piece starts
        int begin = Math.Max((_looked + data + before) / unit * unit - before, 0);
        int end = begin;
        do
        {
            end = Math.Min((end + before + unit) / unit * unit - before, piece.Length);
        }
        while (end < piece.Length && piece[end..Math.Min(end + unit, piece.Length)].ContainsAnyExcept((byte)0));

        piece[begin..end].Clear();
        _looked = end;
        run = new BioBuffer(_piece.Address + begin, end - begin);
        at = _at + SectorCount.FromBytes((ulong)begin);
        return true;
    }

    private bool Advance()
    {
        SectorCount piece = PieceCount;
        _at += piece;
        _left -= piece;
        _looked = 0;
        return _left != SectorCount.Zero;
    }

    private void SubmitPiece(BioOperation operation) =>
        Submit(operation, _at, PieceCount, new BioBuffer(_piece.Address, (int)PieceCount.Bytes));

    private void Submit(BioOperation operation, Sector at, SectorCount length, BioBuffer buffer)
    {
        Bio bio = Bio.Rent();
        bio.Operation = operation;
        bio.Sector = at;
        bio.Count = length;
        bio.Buffer = buffer;
        bio.Device = file.Device;
        bio.Submit(this);
    }

    private void End(Errno errno)
    {
        if (_piece.Home is not null)
        {
            _piece.Return();
        }

        server.Connection.Refuse(unique, errno);
        file.Gate.Exit(exclusive: false);
    }
}
