using System.Net.Sockets;
using DeviceMapper.Native;
using DeviceMapper.Nbd.Native;

namespace DeviceMapper.Nbd.Protocol;

/// <summary>A connection without TLS, by plain system calls on a blocking socket.</summary>
internal sealed unsafe class SocketStream : NbdStream
{
    /// <summary>Room for replies in the kernel: with the default of 208 KiB each reply of 1 MiB makes both sides wait several times.</summary>
    public const int SendBufferSize = 1 << 20;

    private const int MaxVectors = 1024; // the kernel's UIO_MAXIOV

    private readonly Socket _socket;
    private readonly int _descriptor;

    /// <summary>Takes over a connected socket.</summary>
    public SocketStream(Socket socket)
    {
        _socket = socket;
        _descriptor = (int)socket.Handle;
        Tune(socket);
    }

    /// <inheritdoc/>
    public override bool HasHungUp => HangsUp(_descriptor);

    /// <summary>Sets what both kinds of connection want.</summary>
    public static void Tune(Socket socket)
    {
        socket.SendBufferSize = SendBufferSize;
        if (socket.ProtocolType == ProtocolType.Tcp)
        {
            socket.NoDelay = true;
        }
    }

    /// <summary>Whether the other side of a socket has closed it.</summary>
    public static bool HangsUp(int descriptor)
    {
        LibC.PollDescriptor poll = new() { Descriptor = descriptor, Events = LibC.POLLRDHUP };
        return LibC.Poll(&poll, 1, 0) > 0 && (poll.Returned & (LibC.POLLRDHUP | LibC.POLLHUP | LibC.POLLERR)) != 0;
    }

    /// <inheritdoc/>
    public override int Receive(byte* buffer, int length, bool wait)
    {
        while (true)
        {
            nint received = LibC.Receive(_descriptor, buffer, length, wait ? 0 : LibC.MSG_DONTWAIT);
            if (received >= 0)
            {
                return (int)received;
            }

            switch (Errnos.Last)
            {
                case Errno.EINTR:
                    continue;
                case Errno.EAGAIN when !wait:
                    return Nothing;
                default:
                    return 0;
            }
        }
    }

    /// <inheritdoc/>
    public override bool ReceiveExactly(byte* buffer, int length)
    {
        while (length > 0)
        {
            nint received = LibC.Receive(_descriptor, buffer, length, LibC.MSG_WAITALL);
            if (received == 0 || (received < 0 && Errnos.Last != Errno.EINTR))
            {
                return false;
            }

            received = Math.Max(received, 0);
            buffer += received;
            length -= (int)received;
        }

        return true;
    }

    /// <inheritdoc/>
    public override SendResult Send(IoVector* vectors, ref int first, int count, bool wait)
    {
        int flags = LibC.MSG_NOSIGNAL | (wait ? 0 : LibC.MSG_DONTWAIT);
        while (first < count)
        {
            nint sent = count - first == 1
                ? LibC.Send(_descriptor, (byte*)vectors[first].Base, vectors[first].Length, flags)
                : SendMessage(vectors + first, Math.Min(count - first, MaxVectors), flags);
            if (sent < 0)
            {
                switch (Errnos.Last)
                {
                    case Errno.EINTR:
                        continue;
                    case Errno.EAGAIN when !wait:
                        return SendResult.WouldBlock;
                    default:
                        return SendResult.Failed;
                }
            }

            while (first < count && sent >= vectors[first].Length)
            {
                sent -= vectors[first++].Length;
            }

            if (sent > 0)
            {
                vectors[first].Base += sent;
                vectors[first].Length -= sent;
            }
        }

        return SendResult.Done;
    }

    /// <inheritdoc/>
    public override bool WaitToSend()
    {
        LibC.PollDescriptor poll = new() { Descriptor = _descriptor, Events = LibC.POLLOUT };
        while (LibC.Poll(&poll, 1, -1) < 0 && Errnos.Last == Errno.EINTR)
        {
        }

        return (poll.Returned & LibC.POLLOUT) != 0;
    }

    /// <inheritdoc/>
    public override void Shutdown() => _ = LibC.Shutdown(_descriptor, LibC.SHUT_RDWR);

    /// <inheritdoc/>
    public override void Dispose() => _socket.Dispose();

    private nint SendMessage(IoVector* vectors, int count, int flags)
    {
        LibC.MessageHeader message = new() { Vectors = vectors, VectorCount = count };
        return LibC.SendMessage(_descriptor, &message, flags);
    }
}
