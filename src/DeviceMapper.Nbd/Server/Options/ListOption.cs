using System.Buffers.Binary;
using System.Text;
using DeviceMapper.Mapping;
using DeviceMapper.Nbd.Protocol;

namespace DeviceMapper.Nbd.Server.Options;

/// <summary>NBD_OPT_LIST: the names of all exports.</summary>
internal static class ListOption
{
    public static void Handle(Handshake session, ReadOnlySpan<byte> data)
    {
        if (!data.IsEmpty)
        {
            session.Refuse(NbdOption.List, NbdOptionReply.ErrorInvalid, "no data is expected");
            return;
        }

        foreach (KeyValuePair<string, MappedDevice> export in session.Exports.All)
        {
            byte[] answer = new byte[sizeof(uint) + Encoding.UTF8.GetByteCount(export.Key)];
            BinaryPrimitives.WriteUInt32BigEndian(answer, (uint)answer.Length - sizeof(uint));
            Encoding.UTF8.GetBytes(export.Key, answer.AsSpan(sizeof(uint)));
            session.Reply(NbdOption.List, NbdOptionReply.Server, answer);
        }

        session.Reply(NbdOption.List, NbdOptionReply.Acknowledge);
    }
}
