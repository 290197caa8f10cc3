using DeviceMapper.Io;
using DeviceMapper.Nbd.Protocol;

namespace DeviceMapper.Nbd.Server.Commands;

/// <summary>WRITE, or a piece of a large one.</summary>
internal sealed unsafe class WriteCommand(Transmission connection) : Command(connection)
{
    private NbdRequest _request;
    private ulong _offset;
    private byte* _data;
    private int _length;

    /// <summary>The bytes that it writes.</summary>
    public int Length => _length;

    public void Start(in NbdRequest request, ulong offset, byte* data, int length, NativeBuffer dataBuffer, Pieces? pieces, Submitters? elsewhere = null)
    {
        Connection.Begin(this, request.Cookie, NbdTransmission.SimpleReplyLength);
        Keep(dataBuffer);
        Pieces = pieces;
        _request = request;
        _offset = offset;
        _data = data;
        _length = length;
        if (elsewhere is null)
        {
            Connection.SubmitWrite(this);
        }
        else
        {
            elsewhere.Take(this);
        }
    }

    /// <inheritdoc/>
    public override void Submit()
    {
        Bio bio = Bio.Rent();
        bio.Operation = BioOperation.Write;
        bio.Flags = (_request.Flags & NbdCommandFlags.Fua) != 0 ? BioFlags.Fua : BioFlags.None;
        bio.Sector = Sector.FromBytes(_offset);
        bio.Count = SectorCount.FromBytes((ulong)_length);
        bio.Buffer = new BioBuffer((nint)_data, _length);
        bio.Device = Connection.Device;
        bio.Submit(this);
    }

    /// <inheritdoc/>
    public override void BioEnded(Bio bio)
    {
        NbdError error = bio.Status.ToNbd();
        bio.Return();
        if (Pieces is null)
        {
            FinishSimply(error);
            return;
        }

        if (error != NbdError.None)
        {
            Pieces.Fail(error);
        }

        Connection.Replies.Post(this);
    }

    /// <inheritdoc/>
    public override void FinishPieces()
    {
        NbdReply.Simple(Reply, Cookie, Pieces!.Error);
        ReplyLength = NbdTransmission.SimpleReplyLength;
    }

    /// <inheritdoc/>
    public override void Recycle() => Connection.Writes.Return(this);
}
