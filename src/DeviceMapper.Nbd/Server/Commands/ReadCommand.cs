using DeviceMapper.Io;
using DeviceMapper.Nbd.Protocol;

namespace DeviceMapper.Nbd.Server.Commands;

/// <summary>
/// READ, or a piece of a large one. In a structured reply zeroes are a hole, and of a range that fails the good part before the
/// first bad block is sent, and the error with that block's offset.
/// </summary>
internal sealed unsafe class ReadCommand(Transmission connection) : Command(connection)
{
    private const int LeastOnPage = 32 << 10; // data from this length on starts on a page, so that O_DIRECT needs no copy

    private ulong _offset;
    private int _length;
    private bool _structured;
    private bool _noWait; // on the connection's thread: where it would have to wait, another thread reads
    private bool _alone; // the client wants one chunk of data, or none

    // While the first bad block is searched: what is read well from the start on, and what is known to fail.
    private int _good;
    private int _failing;
    private NbdError _error;
    private byte* _lastChunk;

    private int HeaderLength => _structured ? NbdReply.DataHeaderLength : NbdTransmission.SimpleReplyLength;

    public void Start(in NbdRequest request, ulong offset, int length, Pieces? pieces, Submitters? elsewhere = null)
    {
        _offset = offset;
        _length = length;
        _structured = Connection.Export.StructuredReplies;
        _alone = (request.Flags & NbdCommandFlags.DontFragment) != 0;
        _error = NbdError.None;
        Connection.Begin(this, request.Cookie, HeaderLength + length, length >= LeastOnPage ? HeaderLength : 0);
        Pieces = pieces;
        _noWait = Connection.MayHandOver;
        if (elsewhere is null)
        {
            Submit(0, length);
        }
        else
        {
            elsewhere.Take(this);
        }
    }

    /// <inheritdoc/>
    public override void BioEnded(Bio bio)
    {
        BioStatus status = bio.Status;
        int length = bio.Buffer.Length;
        bio.Return();
        if (_noWait && status == BioStatus.Again)
        {
            _noWait = false;
            Connection.Waiters.Take(this);
        }
        else if (_error != NbdError.None)
        {
            Search(status, length);
        }
        else if (status == BioStatus.Ok)
        {
            FinishWell();
        }
        else if (_structured && status is BioStatus.IoError or BioStatus.Medium or BioStatus.Protection)
        {
            _noWait = false;
            _error = status.ToNbd();
            _good = 0;
            _failing = _length;
            SearchOn();
        }
        else
        {
            _error = status.ToNbd();
            _good = _failing = 0;
            FinishBadly();
        }
    }

    /// <inheritdoc/>
    public override void Submit() => Submit(0, _length);

    /// <inheritdoc/>
    public override void FinishPieces() => NbdReply.SetDone(_lastChunk);

    /// <inheritdoc/>
    public override void Recycle() => Connection.Reads.Return(this);

    private NbdChunkFlags LastFlag => Pieces is null ? NbdChunkFlags.Done : NbdChunkFlags.None;

    private void Submit(int from, int length)
    {
        Bio bio = Bio.Rent();
        bio.Operation = BioOperation.Read;
        bio.Flags = _noWait ? BioFlags.NoWait : BioFlags.None;
        bio.Sector = Sector.FromBytes(_offset + (uint)from);
        bio.Count = SectorCount.FromBytes((ulong)length);
        bio.Buffer = new BioBuffer((nint)Reply + HeaderLength + from, length);
        bio.Device = Connection.Device;
        bio.Submit(this);
    }

    private void FinishWell()
    {
        if (!_structured)
        {
            NbdReply.Simple(Reply, Cookie, NbdError.None);
            ReplyLength = HeaderLength + _length;
        }
        else if (!_alone && IsZero(Reply + HeaderLength, _length))
        {
            NbdReply.Hole(Reply, Cookie, LastFlag, _offset, _length);
            ReplyLength = NbdReply.HoleLength;
        }
        else
        {
            NbdReply.Data(Reply, Cookie, LastFlag, _offset, _length);
            ReplyLength = HeaderLength + _length;
        }

        _lastChunk = Reply;
        Connection.Replies.Post(this);
    }

    private static bool IsZero(byte* data, int length) =>
        *(ulong*)data == 0 && new ReadOnlySpan<byte>(data, length).IndexOfAnyExcept((byte)0) < 0;

    private void Search(BioStatus status, int length)
    {
        if (status == BioStatus.Ok)
        {
            _good += length;
        }
        else
        {
            _failing = _good + length;
        }

        SearchOn();
    }

    /// <summary>Reads half of what is between the good part and the end of what fails, until that is one block.</summary>
    private void SearchOn()
    {
        int block = (int)Math.Max(Connection.Device.Limits.LogicalBlockSize, Sector.Size);
        int blocks = (_failing - _good) / block;
        if (blocks > 1)
        {
            Submit(_good, blocks / 2 * block);
        }
        else
        {
            FinishBadly();
        }
    }

    private void FinishBadly()
    {
        if (!_structured)
        {
            FinishSimply(_error);
            return;
        }

        byte* chunk = Reply;
        if (_good > 0 && !_alone)
        {
            NbdReply.Data(chunk, Cookie, NbdChunkFlags.None, _offset, _good);
            chunk += NbdReply.DataHeaderLength + _good;
        }

        // There is room behind the good part: at least one block is not.
        NbdReply.ErrorOffset(chunk, Cookie, LastFlag, _error, _offset + (uint)_good);
        _lastChunk = chunk;
        ReplyLength = (int)(chunk - Reply) + NbdReply.ErrorOffsetLength;
        Connection.Replies.Post(this);
    }
}
