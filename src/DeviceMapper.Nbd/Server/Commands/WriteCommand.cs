using DeviceMapper.Io;
using DeviceMapper.Nbd.Protocol;

namespace DeviceMapper.Nbd.Server.Commands;

/// <summary>WRITE, or a piece of a large one.</summary>
internal sealed unsafe class WriteCommand(Transmission connection) : Command(connection)
{
    public void Start(in NbdRequest request, ulong offset, byte* data, int length, NativeBuffer dataBuffer, Pieces? pieces)
    {
        Connection.Begin(this, request.Cookie, NbdTransmission.SimpleReplyLength);
        Keep(dataBuffer);
        Pieces = pieces;
        Bio bio = Bio.Rent();
        bio.Operation = BioOperation.Write;
        bio.Flags = (request.Flags & NbdCommandFlags.Fua) != 0 ? BioFlags.Fua : BioFlags.None;
        bio.Sector = Sector.FromBytes(offset);
        bio.Count = SectorCount.FromBytes((ulong)length);
        bio.Buffer = new BioBuffer((nint)data, length);
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
