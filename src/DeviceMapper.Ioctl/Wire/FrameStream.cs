using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace DeviceMapper.Ioctl;

/// <summary>
/// The frames of a connection, each 16 bytes of header (magic, kind, code, length of the body; u32 each, in the machine's byte
/// order, since both ends are on one machine), then the body.
/// </summary>
/// <remarks>
/// One thread receives; each frame takes the place of the one before it. A frame of usual size is sent by one system call and received by
/// one, and nothing is allocated for it: of the calls that <c>udm run</c> passes on, that is most of the time.
/// </remarks>
internal sealed class FrameStream(Socket socket)
{
    private const uint Magic = 0x316d6475; // "udm1"
    private const int HeaderSize = 16;

    // Holds the struct with the room that libdm gives it, 16 KiB. Larger frames have memory of their own.
    private const int UsualSize = 20 * 1024;

    // The greatest struct with its payload, and the sentences of a reply.
    private const uint MaxBody = DmIoctl.MaxDataSize + (1 << 20);

    // A large body's memory grows with what has come, so a header alone cannot make us allocate a lot.
    private const int FirstAllocation = 64 * 1024;

    private readonly byte[] _received = GC.AllocateUninitializedArray<byte>(UsualSize, pinned: true);
    private int _limit; // of receives, in milliseconds
    private int _next, _end; // in _received: what has come behind the last frame

    /// <summary>Sends a frame, whose body is two pieces.</summary>
    [SkipLocalsInit]
    public void Send(FrameKind kind, uint code, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second = default)
    {
        int length = checked(first.Length + second.Length);
        Span<byte> whole = stackalloc byte[UsualSize];
        MemoryMarshal.Cast<uint, byte>([Magic, (uint)kind, code, (uint)length]).CopyTo(whole);
        if (length > UsualSize - HeaderSize)
        {
            SendAll(whole[..HeaderSize]);
            SendAll(first);
            SendAll(second);
            return;
        }

        whole = whole[..(HeaderSize + length)];
        first.CopyTo(whole[HeaderSize..]);
        second.CopyTo(whole[(HeaderSize + first.Length)..]);
        SendAll(whole);
        CryptographicOperations.ZeroMemory(whole); // it may have been a key
    }

    /// <summary>Whether a frame has begun to come, or the connection has ended, within a time, which the kernel rounds up to a tick of its clock.</summary>
    /// <remarks>The socket's own time limit costs nothing; poll(2) with one costs, in a virtual machine, as much as all the rest of a call.</remarks>
    public bool Comes(TimeSpan within)
    {
        if (_next < _end)
        {
            return true;
        }

        Limit((int)within.TotalMilliseconds);
        int got = socket.Receive(_received, SocketFlags.None, out SocketError error);
        (_next, _end) = (0, got);
        return error != SocketError.TimedOut; // what else is wrong is found by Receive
    }

    /// <summary>Receives a frame.</summary>
    /// <returns>Null where the other end closed the connection between frames.</returns>
    /// <exception cref="InvalidDataException">It is no frame.</exception>
    /// <exception cref="EndOfStreamException">The connection ended within it.</exception>
    public Frame? Receive()
    {
        _received.AsSpan(_next, _end - _next).CopyTo(_received);
        (_next, _end) = (0, _end - _next);
        if (_end == 0 && (_end = ReceiveOnce(_received)) == 0)
        {
            return null;
        }

        ReceiveUpTo(HeaderSize);
        ReadOnlySpan<uint> words = MemoryMarshal.Cast<byte, uint>(_received.AsSpan(0, HeaderSize));
        if (words[0] != Magic || words[3] > MaxBody)
        {
            throw new InvalidDataException("not a frame of the control protocol");
        }

        return new Frame((FrameKind)words[1], words[2], ReceiveBody((int)words[3]));
    }

    private Memory<byte> ReceiveBody(int length)
    {
        if (length <= UsualSize - HeaderSize)
        {
            _next = HeaderSize + length;
            ReceiveUpTo(_next);
            return _received.AsMemory(HeaderSize, length);
        }

        byte[] body = GC.AllocateUninitializedArray<byte>(Math.Min(length, FirstAllocation), pinned: true);
        Span<byte> begun = _received.AsSpan(HeaderSize, _end - HeaderSize);
        begun.CopyTo(body);
        begun.Clear();
        ReceiveAll(body.AsSpan(begun.Length));
        while (body.Length < length)
        {
            byte[] larger = GC.AllocateUninitializedArray<byte>((int)Math.Min(length, 2L * body.Length), pinned: true);
            body.CopyTo(larger, 0);
            CryptographicOperations.ZeroMemory(body);
            ReceiveAll(larger.AsSpan(body.Length));
            body = larger;
        }

        _next = _end = 0;
        return body;
    }

    private void ReceiveUpTo(int end)
    {
        while (_end < end)
        {
            _end += ReceiveSome(_received.AsSpan(_end));
        }
    }

    private void ReceiveAll(Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[ReceiveSome(bytes)..];
        }
    }

    private int ReceiveSome(Span<byte> bytes) => ReceiveOnce(bytes) is > 0 and int got ? got : throw new EndOfStreamException("the connection ended within a frame");

    private int ReceiveOnce(Span<byte> bytes)
    {
        while (true)
        {
            int got = socket.Receive(bytes, SocketFlags.None, out SocketError error);
            switch (error)
            {
                case SocketError.Success:
                    return got;
                case SocketError.TimedOut:
                    Limit(0); // the limit was of Comes
                    break;
                default:
                    throw new SocketException((int)error);
            }
        }
    }

    /// <summary>Sets the receives' time limit, in milliseconds; 0 is none.</summary>
    private void Limit(int milliseconds)
    {
        if (_limit != milliseconds)
        {
            socket.ReceiveTimeout = _limit = milliseconds;
        }
    }

    private void SendAll(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[socket.Send(bytes)..];
        }
    }
}
