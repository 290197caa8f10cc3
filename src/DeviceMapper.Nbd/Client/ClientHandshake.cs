using System.Buffers.Binary;
using System.Text;
using DeviceMapper.Nbd.Protocol;

namespace DeviceMapper.Nbd.Client;

/// <summary>The client's side of the handshake, with a server of the fixed newstyle.</summary>
/// <param name="stream">The connection.</param>
internal sealed class ClientHandshake(NbdStream stream)
{
    private const string Allocation = "base:allocation";
    private const int MaxReply = 64 << 10;
    private const int MaxReplies = 1024; // to one option
    private const uint LeastByDefault = 512, PreferredByDefault = 4096;

    private bool _noZeroes;
    private bool _structured;
    private uint? _allocation;

    /// <summary>Greets the server.</summary>
    /// <exception cref="NbdProtocolException">It is no NBD server, or too old a one.</exception>
    public void Greet()
    {
        Span<byte> greeting = stackalloc byte[18];
        stream.ReceiveExactly(greeting);
        ushort flags = BinaryPrimitives.ReadUInt16BigEndian(greeting[16..]);
        if (BinaryPrimitives.ReadUInt64BigEndian(greeting) != NbdHandshake.Magic
            || BinaryPrimitives.ReadUInt64BigEndian(greeting[8..]) != NbdHandshake.OptionMagic
            || (flags & NbdHandshake.FixedNewstyle) == 0)
        {
            throw new NbdProtocolException("what answers there is no NBD server of the newstyle");
        }

        _noZeroes = (flags & NbdHandshake.NoZeroes) != 0;
        Span<byte> answer = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(answer, NbdHandshake.FixedNewstyle | (_noZeroes ? NbdHandshake.NoZeroes : 0u));
        stream.Send(answer);
    }

    /// <summary>Asks for TLS; what follows is under it.</summary>
    /// <exception cref="NbdProtocolException">The server has none.</exception>
    public void StartTls()
    {
        if (Ask(NbdOption.StartTls, [], null) != NbdOptionReply.Acknowledge)
        {
            throw new NbdProtocolException("the server has no TLS");
        }
    }

    /// <summary>Goes on with a handshake that another stream has begun: under TLS.</summary>
    public ClientHandshake Under(NbdStream tls) => new(tls) { _noZeroes = _noZeroes };

    /// <summary>Chooses an export.</summary>
    /// <exception cref="NbdProtocolException">The server does not have it.</exception>
    public RemoteExport Choose(string export)
    {
        _structured = Ask(NbdOption.StructuredReply, [], null) == NbdOptionReply.Acknowledge;
        if (_structured)
        {
            AskForAllocation(export);
        }

        byte[] name = Encoding.UTF8.GetBytes(export);
        byte[] data = new byte[sizeof(uint) + name.Length + 2 * sizeof(ushort)];
        BinaryPrimitives.WriteUInt32BigEndian(data, (uint)name.Length);
        name.CopyTo(data, sizeof(uint));
        BinaryPrimitives.WriteUInt16BigEndian(data.AsSpan(data.Length - 4), 1);
        BinaryPrimitives.WriteUInt16BigEndian(data.AsSpan(data.Length - 2), (ushort)NbdInfo.BlockSize);
        RemoteExport? told = null;
        (uint least, uint preferred, uint largest) = (LeastByDefault, PreferredByDefault, (uint)NbdTransmission.MaxPayload);
        NbdOptionReply reply = Ask(NbdOption.Go, data, info =>
        {
            switch ((NbdInfo)BinaryPrimitives.ReadUInt16BigEndian(info))
            {
                case NbdInfo.Export when info.Length >= 12:
                    told = Told(BinaryPrimitives.ReadUInt64BigEndian(info[2..]), BinaryPrimitives.ReadUInt16BigEndian(info[10..]));
                    break;
                case NbdInfo.BlockSize when info.Length >= 14:
                    least = BinaryPrimitives.ReadUInt32BigEndian(info[2..]);
                    preferred = BinaryPrimitives.ReadUInt32BigEndian(info[6..]);
                    largest = BinaryPrimitives.ReadUInt32BigEndian(info[10..]);
                    break;
            }
        });
        if (reply == NbdOptionReply.ErrorUnsupported)
        {
            return ChooseOldWay(name);
        }

        if (reply != NbdOptionReply.Acknowledge || told is null)
        {
            throw new NbdProtocolException(reply == NbdOptionReply.ErrorUnknown
                ? $"the server has no export '{export}'"
                : reply == NbdOptionReply.ErrorTlsRequired ? "the server wants TLS: nbds://"
                : $"the server refuses the export '{export}' ({reply})");
        }

        return told with { Least = least, Preferred = preferred, Largest = Math.Clamp(largest, 4096, NbdTransmission.MaxPayload) };
    }

    private RemoteExport Told(ulong size, ushort flags) =>
        new(size, (NbdExportFlags)flags, LeastByDefault, PreferredByDefault, NbdTransmission.MaxPayload, _structured, _allocation);

    private RemoteExport ChooseOldWay(byte[] name)
    {
        SendOption(NbdOption.ExportName, name);
        Span<byte> answer = stackalloc byte[10 + 124];
        answer = _noZeroes ? answer[..10] : answer;
        stream.ReceiveExactly(answer);
        return Told(BinaryPrimitives.ReadUInt64BigEndian(answer), BinaryPrimitives.ReadUInt16BigEndian(answer[8..]));
    }

    private void AskForAllocation(string export)
    {
        byte[] name = Encoding.UTF8.GetBytes(export);
        byte[] data = new byte[sizeof(uint) + name.Length + 2 * sizeof(uint) + Allocation.Length];
        BinaryPrimitives.WriteUInt32BigEndian(data, (uint)name.Length);
        name.CopyTo(data, sizeof(uint));
        Span<byte> query = data.AsSpan(sizeof(uint) + name.Length);
        BinaryPrimitives.WriteUInt32BigEndian(query, 1);
        BinaryPrimitives.WriteUInt32BigEndian(query[4..], (uint)Allocation.Length);
        Encoding.ASCII.GetBytes(Allocation, query[8..]);
        uint? number = null;
        NbdOptionReply reply = Ask(NbdOption.SetMetaContext, data, context =>
        {
            if (context.Length > 4 && Encoding.UTF8.GetString(context[4..]) == Allocation)
            {
                number = BinaryPrimitives.ReadUInt32BigEndian(context);
            }
        });
        _allocation = reply == NbdOptionReply.Acknowledge ? number : null;
    }

    /// <summary>Sends an option.</summary>
    /// <param name="option">Which.</param>
    /// <param name="data">Its data.</param>
    /// <param name="told">Told the data of each reply before the last one.</param>
    /// <returns>The last reply: an acknowledgement or an error.</returns>
    private NbdOptionReply Ask(NbdOption option, byte[] data, Listener? told)
    {
        SendOption(option, data);
        Span<byte> header = stackalloc byte[20];
        for (int replies = 0; replies < MaxReplies; replies++)
        {
            stream.ReceiveExactly(header);
            NbdOptionReply reply = (NbdOptionReply)BinaryPrimitives.ReadUInt32BigEndian(header[12..]);
            uint length = BinaryPrimitives.ReadUInt32BigEndian(header[16..]);
            if (BinaryPrimitives.ReadUInt64BigEndian(header) != NbdHandshake.ReplyMagic
                || BinaryPrimitives.ReadUInt32BigEndian(header[8..]) != (uint)option || length > MaxReply)
            {
                throw new NbdProtocolException("the server's answer to an option is malformed");
            }

            byte[] body = new byte[length];
            stream.ReceiveExactly(body);
            if (reply == NbdOptionReply.Acknowledge || (reply & NbdOptionReply.Error) != 0)
            {
                return reply;
            }

            if (body.Length >= sizeof(ushort))
            {
                told?.Invoke(body);
            }
        }

        throw new NbdProtocolException("the server's answer to an option has no end");
    }

    private void SendOption(NbdOption option, byte[] data)
    {
        byte[] message = new byte[16 + data.Length];
        BinaryPrimitives.WriteUInt64BigEndian(message, NbdHandshake.OptionMagic);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(8), (uint)option);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(12), (uint)data.Length);
        data.CopyTo(message, 16);
        stream.Send(message);
    }

    private delegate void Listener(ReadOnlySpan<byte> data);
}
