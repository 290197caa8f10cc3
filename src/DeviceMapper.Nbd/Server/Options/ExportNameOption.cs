using System.Buffers.Binary;
using System.Text;
using DeviceMapper.Mapping;
using DeviceMapper.Nbd.Protocol;

namespace DeviceMapper.Nbd.Server.Options;

/// <summary>NBD_OPT_EXPORT_NAME: the old way to choose an export. It can only be answered well: else the connection is closed.</summary>
internal static class ExportNameOption
{
    private const int ZeroesLength = 124;

    public static void Handle(Handshake session, ReadOnlySpan<byte> data)
    {
        string name = data.Length <= NbdHandshake.MaxString
            ? Encoding.UTF8.GetString(data)
            : throw new NbdProtocolException("the name of an export is too long");
        KeyValuePair<string, MappedDevice> export = session.Exports.Find(name) ?? throw new NbdProtocolException($"there is no export '{name}'");
        MappedDevice device = export.Value;
        if (ExportInfo.NeedsBlockSize(device))
        {
            throw new NbdProtocolException($"the client does not ask for the block size of '{name}', {device.Limits.LogicalBlockSize} bytes");
        }

        if (!session.TryChoose(export, name))
        {
            throw new NbdProtocolException($"'{name}' is being removed");
        }

        Span<byte> answer = stackalloc byte[10 + ZeroesLength];
        answer.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(answer, device.Size.Bytes);
        BinaryPrimitives.WriteUInt16BigEndian(answer[8..], (ushort)ExportInfo.FlagsOf(device, session.StructuredReplies));
        session.Stream.Send(session.NoZeroes ? answer[..10] : answer);
    }
}
