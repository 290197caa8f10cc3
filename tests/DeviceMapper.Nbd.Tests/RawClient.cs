using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace DeviceMapper.Nbd.Tests;

/// <summary>A client that sends whatever bytes a test wants.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly Socket _socket;

    public RawClient(string path, bool greet = true)
    {
        _socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 60_000, SendTimeout = 60_000 };
        _socket.Connect(new UnixDomainSocketEndPoint(path));
        if (greet)
        {
            Receive(18);
            Send(0, 0, 0, 3);
        }
    }

    public Socket Socket => _socket;

    public void Send(params byte[] bytes)
    {
        for (int sent = 0; sent < bytes.Length;)
        {
            sent += _socket.Send(bytes.AsSpan(sent));
        }
    }

    public byte[] Receive(int length)
    {
        byte[] bytes = new byte[length];
        for (int received = 0; received < length;)
        {
            int got = _socket.Receive(bytes.AsSpan(received));
            received += got > 0 ? got : throw new EndOfStreamException();
        }

        return bytes;
    }

    /// <summary>Sends an option.</summary>
    public void Option(uint option, byte[] data, uint? length = null)
    {
        byte[] message = new byte[16 + data.Length];
        "IHAVEOPT"u8.CopyTo(message);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(8), option);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(12), length ?? (uint)data.Length);
        data.CopyTo(message, 16);
        Send(message);
    }

    /// <summary>Receives replies to an option until the last one.</summary>
    /// <returns>The type of the last one.</returns>
    public uint LastReply()
    {
        while (true)
        {
            byte[] header = Receive(20);
            uint type = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(12));
            Receive((int)BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(16)));
            if (type == 1 || type >= 1u << 31)
            {
                return type;
            }
        }
    }

    /// <summary>Chooses an export.</summary>
    public uint Go(string name)
    {
        Option(7, [0, 0, 0, (byte)name.Length, .. Encoding.UTF8.GetBytes(name), 0, 1, 0, 3]);
        return LastReply();
    }

    /// <summary>Sends a request, without data.</summary>
    public void Request(ushort command, ulong offset, uint length, ulong cookie = 1, ushort flags = 0)
    {
        byte[] message = new byte[28];
        BinaryPrimitives.WriteUInt32BigEndian(message, 0x25609513);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(4), flags);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(6), command);
        BinaryPrimitives.WriteUInt64BigEndian(message.AsSpan(8), cookie);
        BinaryPrimitives.WriteUInt64BigEndian(message.AsSpan(16), offset);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(24), length);
        Send(message);
    }

    /// <summary>Receives a simple reply without data.</summary>
    /// <returns>Its error.</returns>
    public uint SimpleReply() => BinaryPrimitives.ReadUInt32BigEndian(Receive(16).AsSpan(4));

    /// <summary>Whether the server closes the connection, whatever it sends before.</summary>
    public bool IsClosed()
    {
        byte[] waste = new byte[65536];
        try
        {
            while (_socket.Receive(waste) > 0)
            {
            }

            return true;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode == SocketError.ConnectionReset;
        }
    }

    public void Dispose() => _socket.Dispose();
}
