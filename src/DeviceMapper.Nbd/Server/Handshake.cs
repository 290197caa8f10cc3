using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using DeviceMapper.Mapping;
using DeviceMapper.Nbd.Protocol;
using DeviceMapper.Nbd.Server.Options;

namespace DeviceMapper.Nbd.Server;

/// <summary>The handshake of a connection: fixed newstyle. It ends when the client has chosen an export, or left.</summary>
internal sealed class Handshake(Socket socket, ExportList exports, ServerTls? tls)
{
    /// <summary>Options that a client may send; those there are take a dozen.</summary>
    public const int MaxOptions = 256;

    private const int MaxOptionLength = 64 << 10; // longer ones are skipped
    private const int LongestSkipped = 1 << 20;

    private byte[] _data = new byte[256];

    /// <summary>The connection's bytes; under TLS once the client has asked for that.</summary>
    public NbdStream Stream { get; private set; } = new SocketStream(socket);

    /// <summary>The devices that clients can use.</summary>
    public ExportList Exports { get; } = exports;

    /// <summary>Whether the client has to start TLS before anything else.</summary>
    public bool NeedsTls => tls is not null && !IsTls;

    /// <summary>Whether the connection is under TLS.</summary>
    public bool IsTls { get; private set; }

    /// <summary>Whether the client wants structured replies.</summary>
    public bool StructuredReplies { get; set; }

    /// <summary>Whether the client can do without zeroes after an export's flags.</summary>
    public bool NoZeroes { get; private set; }

    /// <summary>What block status is to tell...</summary>
    public MetaContexts Contexts { get; set; }

    /// <summary>... of the export that was given with it.</summary>
    public string? ContextsOf { get; set; }

    /// <summary>The export that the client has chosen; it is open.</summary>
    public NegotiatedExport? Result { get; set; }

    /// <summary>The name that the client has chosen it by.</summary>
    public string ChosenName { get; set; } = "";

    /// <summary>Set when the client has said that it leaves.</summary>
    public bool Aborted { get; set; }

    /// <summary>Runs it.</summary>
    /// <returns>What was agreed on; null where the client has left.</returns>
    /// <exception cref="NbdProtocolException">The client does not keep to the protocol.</exception>
    /// <exception cref="EndOfStreamException">The connection is gone.</exception>
    public NegotiatedExport? Run()
    {
        Greet();
        Span<byte> header = stackalloc byte[16];
        for (int options = 0; options < MaxOptions; options++)
        {
            Stream.ReceiveExactly(header);
            if (BinaryPrimitives.ReadUInt64BigEndian(header) != NbdHandshake.OptionMagic)
            {
                throw new NbdProtocolException("an option does not start with the magic number");
            }

            NbdOption option = (NbdOption)BinaryPrimitives.ReadUInt32BigEndian(header[8..]);
            uint length = BinaryPrimitives.ReadUInt32BigEndian(header[12..]);
            if (length > MaxOptionLength)
            {
                Skip(option, length);
                continue;
            }

            Handle(option, ReadData((int)length));
            if (Aborted || Result is not null)
            {
                return Result;
            }
        }

        throw new NbdProtocolException($"more than {MaxOptions} options");
    }

    /// <summary>Answers an option.</summary>
    public void Reply(NbdOption option, NbdOptionReply reply, ReadOnlySpan<byte> data = default)
    {
        byte[] message = new byte[20 + data.Length];
        BinaryPrimitives.WriteUInt64BigEndian(message, NbdHandshake.ReplyMagic);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(8), (uint)option);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(12), (uint)reply);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(16), (uint)data.Length);
        data.CopyTo(message.AsSpan(20));
        Stream.Send(message);
    }

    /// <summary>Answers an option with an error and a sentence for people.</summary>
    public void Refuse(NbdOption option, NbdOptionReply error, string sentence) => Reply(option, error, Encoding.UTF8.GetBytes(sentence));

    /// <summary>Opens a device for the client: it cannot be removed while it is connected.</summary>
    /// <returns>False where it is being removed.</returns>
    public bool TryChoose(KeyValuePair<string, MappedDevice> export, string requestedName)
    {
        try
        {
            export.Value.Open();
        }
        catch (DmException)
        {
            return false;
        }

        MetaContexts contexts = StructuredReplies && ContextsOf == requestedName ? Contexts : MetaContexts.None;
        ChosenName = export.Key;
        Result = new NegotiatedExport(export.Value, StructuredReplies, contexts);
        return true;
    }

    /// <summary>Starts TLS.</summary>
    public void StartTls()
    {
        Stream = tls!.Authenticate(socket);
        IsTls = true;
        StructuredReplies = false; // what was agreed on before does not count
        ContextsOf = null;
    }

    private void Greet()
    {
        Span<byte> greeting = stackalloc byte[18];
        BinaryPrimitives.WriteUInt64BigEndian(greeting, NbdHandshake.Magic);
        BinaryPrimitives.WriteUInt64BigEndian(greeting[8..], NbdHandshake.OptionMagic);
        BinaryPrimitives.WriteUInt16BigEndian(greeting[16..], NbdHandshake.FixedNewstyle | NbdHandshake.NoZeroes);
        Stream.Send(greeting);

        Span<byte> answer = stackalloc byte[4];
        Stream.ReceiveExactly(answer);
        uint flags = BinaryPrimitives.ReadUInt32BigEndian(answer);
        if ((flags & ~(uint)(NbdHandshake.FixedNewstyle | NbdHandshake.NoZeroes)) != 0)
        {
            throw new NbdProtocolException($"the client's flags 0x{flags:x} are not known");
        }

        NoZeroes = (flags & NbdHandshake.NoZeroes) != 0;
    }

    private void Handle(NbdOption option, ReadOnlySpan<byte> data)
    {
        if (NeedsTls && option is not (NbdOption.StartTls or NbdOption.Abort))
        {
            if (option == NbdOption.ExportName)
            {
                throw new NbdProtocolException("the client does not start TLS"); // this option cannot be answered with an error
            }

            Refuse(option, NbdOptionReply.ErrorTlsRequired, "TLS is needed here");
            return;
        }

        switch (option)
        {
            case NbdOption.ExportName:
                ExportNameOption.Handle(this, data);
                break;
            case NbdOption.Abort:
                AbortOption.Handle(this);
                break;
            case NbdOption.List:
                ListOption.Handle(this, data);
                break;
            case NbdOption.StartTls:
                StartTlsOption.Handle(this, data, tls is not null);
                break;
            case NbdOption.Info or NbdOption.Go:
                GoOption.Handle(this, option, data);
                break;
            case NbdOption.StructuredReply:
                StructuredReplyOption.Handle(this, data);
                break;
            case NbdOption.ListMetaContext or NbdOption.SetMetaContext:
                MetaContextOption.Handle(this, option, data);
                break;
            default:
                Reply(option, NbdOptionReply.ErrorUnsupported);
                break;
        }
    }

    private ReadOnlySpan<byte> ReadData(int length)
    {
        if (_data.Length < length)
        {
            _data = new byte[length];
        }

        Stream.ReceiveExactly(_data.AsSpan(0, length));
        return _data.AsSpan(0, length);
    }

    private void Skip(NbdOption option, uint length)
    {
        if (length > LongestSkipped)
        {
            throw new NbdProtocolException($"an option of {length} bytes");
        }

        while (length > 0)
        {
            int part = (int)Math.Min(length, MaxOptionLength);
            ReadData(part);
            length -= (uint)part;
        }

        Refuse(option, NbdOptionReply.ErrorTooBig, "the option is too long");
    }
}
