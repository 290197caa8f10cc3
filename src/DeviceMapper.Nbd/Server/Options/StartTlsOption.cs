using DeviceMapper.Nbd.Protocol;

namespace DeviceMapper.Nbd.Server.Options;

/// <summary>NBD_OPT_STARTTLS: all that follows is under TLS.</summary>
internal static class StartTlsOption
{
    public static void Handle(Handshake session, ReadOnlySpan<byte> data, bool available)
    {
        if (!available)
        {
            session.Refuse(NbdOption.StartTls, NbdOptionReply.ErrorPolicy, "there is no TLS here");
        }
        else if (!data.IsEmpty || session.IsTls)
        {
            session.Refuse(NbdOption.StartTls, NbdOptionReply.ErrorInvalid, session.IsTls ? "TLS is started already" : "no data is expected");
        }
        else
        {
            session.Reply(NbdOption.StartTls, NbdOptionReply.Acknowledge);
            session.StartTls();
        }
    }
}
