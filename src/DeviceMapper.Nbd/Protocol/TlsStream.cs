using System.Net.Security;
using System.Net.Sockets;
using DeviceMapper.Nbd.Native;

namespace DeviceMapper.Nbd.Protocol;

/// <summary>A connection under TLS.</summary>
internal sealed unsafe class TlsStream : NbdStream
{
    private const int RecordLength = 16 << 10; // the largest of TLS; a send of less than a record is one all the same

    private readonly Socket _socket;
    private readonly int _descriptor;
    private readonly SslStream _tls;
    private readonly byte[] _record = new byte[RecordLength];

    /// <summary>Takes over a connection on which the two sides have agreed on keys.</summary>
    public TlsStream(Socket socket, SslStream tls)
    {
        _socket = socket;
        _descriptor = (int)socket.Handle;
        _tls = tls;
    }

    /// <inheritdoc/>
    public override bool HasHungUp => SocketStream.HangsUp(_descriptor);

    /// <inheritdoc/>
    public override int Receive(byte* buffer, int length, bool wait)
    {
        if (!wait)
        {
            return Nothing; // whether a whole record is there cannot be told without waiting
        }

        try
        {
            return _tls.Read(new Span<byte>(buffer, length));
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            return 0;
        }
    }

    /// <inheritdoc/>
    public override SendResult Send(IoVector* vectors, ref int first, int count, bool wait)
    {
        if (!wait)
        {
            return SendResult.WouldBlock;
        }

        try
        {
            int gathered = 0;
            for (; first < count; first++)
            {
                ReadOnlySpan<byte> left = new((void*)vectors[first].Base, (int)vectors[first].Length);
                while (left.Length > 0)
                {
                    int part = Math.Min(left.Length, RecordLength - gathered);
                    left[..part].CopyTo(_record.AsSpan(gathered));
                    left = left[part..];
                    gathered += part;
                    if (gathered == RecordLength)
                    {
                        _tls.Write(_record);
                        gathered = 0;
                    }
                }
            }

            if (gathered > 0)
            {
                _tls.Write(_record.AsSpan(0, gathered));
            }

            return SendResult.Done;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            return SendResult.Failed;
        }
    }

    /// <summary>It cannot be told: a send waits itself.</summary>
    public override bool WaitToSend() => true;

    /// <inheritdoc/>
    public override void Shutdown() => _ = LibC.Shutdown(_descriptor, LibC.SHUT_RDWR);

    /// <inheritdoc/>
    public override void Dispose()
    {
        _tls.Dispose();
        _socket.Dispose();
    }
}
