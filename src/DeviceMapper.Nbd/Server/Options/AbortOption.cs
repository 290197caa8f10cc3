using DeviceMapper.Nbd.Protocol;

namespace DeviceMapper.Nbd.Server.Options;

/// <summary>NBD_OPT_ABORT: the client leaves.</summary>
internal static class AbortOption
{
    public static void Handle(Handshake session)
    {
        session.Reply(NbdOption.Abort, NbdOptionReply.Acknowledge);
        session.Aborted = true;
    }
}
