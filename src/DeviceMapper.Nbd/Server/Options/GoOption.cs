using System.Buffers.Binary;
using System.Text;
using DeviceMapper.Mapping;
using DeviceMapper.Nbd.Protocol;

namespace DeviceMapper.Nbd.Server.Options;

/// <summary>NBD_OPT_INFO and NBD_OPT_GO: what an export is, and the same with the wish to use it.</summary>
internal static class GoOption
{
    public static void Handle(Handshake session, NbdOption option, ReadOnlySpan<byte> data)
    {
        if (!TryRead(data, out string name, out HashSet<NbdInfo> wanted))
        {
            session.Refuse(option, NbdOptionReply.ErrorInvalid, "a name and a list of wishes are expected");
            return;
        }

        if (session.Exports.Find(name) is not { } export)
        {
            session.Refuse(option, NbdOptionReply.ErrorUnknown, name.Length > 0 ? "there is no such export" : "the name of an export is needed");
            return;
        }

        MappedDevice device = export.Value;
        if (ExportInfo.NeedsBlockSize(device) && !wanted.Contains(NbdInfo.BlockSize))
        {
            session.Refuse(option, NbdOptionReply.ErrorBlockSizeRequired, $"the block size is {device.Limits.LogicalBlockSize} bytes: ask for it");
            return;
        }

        if (option == NbdOption.Go && !session.TryChoose(export, name))
        {
            session.Refuse(option, NbdOptionReply.ErrorUnknown, "the device is being removed");
            return;
        }

        Tell(session, option, export, wanted);
        session.Reply(option, NbdOptionReply.Acknowledge);
    }

    private static bool TryRead(ReadOnlySpan<byte> data, out string name, out HashSet<NbdInfo> wanted)
    {
        wanted = [];
        OptionReader reader = new(data);
        if (!reader.TryReadString(out name) || !reader.TryReadUInt16(out ushort count))
        {
            return false;
        }

        for (; count > 0; count--)
        {
            if (!reader.TryReadUInt16(out ushort info))
            {
                return false;
            }

            wanted.Add((NbdInfo)info);
        }

        return reader.IsAtEnd;
    }

    private static void Tell(Handshake session, NbdOption option, KeyValuePair<string, MappedDevice> export, HashSet<NbdInfo> wanted)
    {
        MappedDevice device = export.Value;
        Span<byte> info = stackalloc byte[14];
        BinaryPrimitives.WriteUInt16BigEndian(info, (ushort)NbdInfo.Export);
        BinaryPrimitives.WriteUInt64BigEndian(info[2..], device.Size.Bytes);
        BinaryPrimitives.WriteUInt16BigEndian(info[10..], (ushort)ExportInfo.FlagsOf(device, session.StructuredReplies));
        session.Reply(option, NbdOptionReply.Info, info[..12]);

        (uint least, uint preferred, uint largest) = ExportInfo.BlockSizesOf(device);
        BinaryPrimitives.WriteUInt16BigEndian(info, (ushort)NbdInfo.BlockSize);
        BinaryPrimitives.WriteUInt32BigEndian(info[2..], least);
        BinaryPrimitives.WriteUInt32BigEndian(info[6..], preferred);
        BinaryPrimitives.WriteUInt32BigEndian(info[10..], largest);
        session.Reply(option, NbdOptionReply.Info, info);

        if (wanted.Contains(NbdInfo.Name))
        {
            TellText(session, option, NbdInfo.Name, export.Key);
        }

        if (wanted.Contains(NbdInfo.Description))
        {
            string uuid = device.Uuid.Length > 0 ? $", uuid {device.Uuid}" : "";
            TellText(session, option, NbdInfo.Description, $"device mapper {device.Number}{uuid}");
        }
    }

    private static void TellText(Handshake session, NbdOption option, NbdInfo kind, string text)
    {
        byte[] info = new byte[sizeof(ushort) + Encoding.UTF8.GetByteCount(text)];
        BinaryPrimitives.WriteUInt16BigEndian(info, (ushort)kind);
        Encoding.UTF8.GetBytes(text, info.AsSpan(sizeof(ushort)));
        session.Reply(option, NbdOptionReply.Info, info);
    }
}
