using DeviceMapper.Nbd.Protocol;

namespace DeviceMapper.Nbd.Server.Options;

/// <summary>NBD_OPT_STRUCTURED_REPLY: replies may come in chunks, tell of holes, and say where an error is.</summary>
internal static class StructuredReplyOption
{
    public static void Handle(Handshake session, ReadOnlySpan<byte> data)
    {
        if (!data.IsEmpty)
        {
            session.Refuse(NbdOption.StructuredReply, NbdOptionReply.ErrorInvalid, "no data is expected");
            return;
        }

        session.StructuredReplies = true;
        session.Reply(NbdOption.StructuredReply, NbdOptionReply.Acknowledge);
    }
}
