using DeviceMapper.Io;
using DeviceMapper.Nbd.Protocol;

namespace DeviceMapper.Nbd.Server.Commands;

/// <summary>A request that is answered with an error at once.</summary>
internal sealed unsafe class RefuseCommand(Transmission connection) : Command(connection)
{
    public void Start(in NbdRequest request, NbdError error, bool structured)
    {
        Connection.Begin(this, request.Cookie, NbdReply.ErrorLength);
        if (!structured)
        {
            FinishSimply(error);
            return;
        }

        NbdReply.Error(Reply, Cookie, NbdChunkFlags.Done, error);
        ReplyLength = NbdReply.ErrorLength;
        Connection.Replies.Post(this);
    }

    /// <inheritdoc/>
    public override void BioEnded(Bio bio) => throw new InvalidOperationException("a refused request has no bios");

    /// <inheritdoc/>
    public override void Recycle() => Connection.Refuses.Return(this);
}
