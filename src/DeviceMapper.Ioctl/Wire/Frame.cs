using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace DeviceMapper.Ioctl;

/// <summary>What a frame on the control socket is.</summary>
internal enum FrameKind : uint
{
    /// <summary>To the daemon: the bytes of a <see cref="DmIoctl"/>; the code is the ioctl's number.</summary>
    Call = 1,

    /// <summary>To the daemon: as poll(2) on the control node; answered when the global event number has moved.</summary>
    Poll = 2,

    /// <summary>To the client: a <see cref="Reply"/>; the code is an errno, 0 for success.</summary>
    Reply = 3,

    /// <summary>To the client, any number before the reply: what a call waits for, as UTF-8.</summary>
    Progress = 4,

    /// <summary>To the daemon: a question of udm's own, past the ioctls; its words as UTF-8, with a NUL after each. The reply's bytes are text.</summary>
    Ask = 5,

    /// <summary>To the daemon: several calls of one ioctl, a <see cref="Ioctl.Batch"/>; the code is the ioctl's number. The reply's body is a batch of replies.</summary>
    Batch = 6,

    /// <summary>To the daemon: a key that the next call's table or message names; its type and description, each with a NUL after it, then its bytes.</summary>
    Key = 7,
}

/// <summary>
/// A frame on the control socket: 16 bytes of header (magic, kind, code, length of the body; u32 each, in the machine's byte
/// order, since both ends are on one machine), then the body.
/// </summary>
/// <param name="Kind">What it is.</param>
/// <param name="Code">An ioctl's number, or an errno.</param>
/// <param name="Body">Pinned, so that it can be wiped.</param>
internal readonly record struct Frame(FrameKind Kind, uint Code, byte[] Body)
{
    private const uint Magic = 0x316d6475; // "udm1"
    private const int HeaderSize = 16;

    // Up to so many bytes a frame is put together, and sent at once.
    private const int SmallFrame = 2048;

    // The greatest struct with its payload, and the sentences of a reply.
    private const uint MaxBody = DmIoctl.MaxDataSize + (1 << 20);

    // A body's buffer grows with what has come, so a header alone cannot make us allocate a lot.
    private const int FirstAllocation = 64 * 1024;

    /// <summary>Sends a frame.</summary>
    public static void Send(Socket socket, FrameKind kind, uint code, ReadOnlySpan<byte> body)
    {
        Span<byte> whole = stackalloc byte[SmallFrame];
        MemoryMarshal.Cast<uint, byte>([Magic, (uint)kind, code, (uint)body.Length]).CopyTo(whole);
        if (body.Length > SmallFrame - HeaderSize)
        {
            SendAll(socket, whole[..HeaderSize]);
            SendAll(socket, body);
            return;
        }

        body.CopyTo(whole[HeaderSize..]);
        SendAll(socket, whole[..(HeaderSize + body.Length)]);
        CryptographicOperations.ZeroMemory(whole); // it may have been a key
    }

    /// <summary>Receives a frame.</summary>
    /// <returns>Null where the other end closed the connection between frames.</returns>
    /// <exception cref="InvalidDataException">It is no frame.</exception>
    /// <exception cref="EndOfStreamException">The connection ended within it.</exception>
    public static Frame? Receive(Socket socket)
    {
        Span<byte> header = stackalloc byte[HeaderSize];
        int got = socket.Receive(header);
        if (got == 0)
        {
            return null;
        }

        ReceiveAll(socket, header[got..]);
        ReadOnlySpan<uint> words = MemoryMarshal.Cast<byte, uint>(header);
        if (words[0] != Magic || words[3] > MaxBody)
        {
            throw new InvalidDataException("not a frame of the control protocol");
        }

        return new Frame((FrameKind)words[1], words[2], ReceiveBody(socket, (int)words[3]));
    }

    /// <summary>Overwrites the body.</summary>
    public void Wipe() => CryptographicOperations.ZeroMemory(Body);

    private static byte[] ReceiveBody(Socket socket, int length)
    {
        byte[] body = GC.AllocateUninitializedArray<byte>(Math.Min(length, FirstAllocation), pinned: true);
        ReceiveAll(socket, body);
        while (body.Length < length)
        {
            byte[] larger = GC.AllocateUninitializedArray<byte>((int)Math.Min(length, 2L * body.Length), pinned: true);
            body.CopyTo(larger, 0);
            CryptographicOperations.ZeroMemory(body);
            ReceiveAll(socket, larger.AsSpan(body.Length));
            body = larger;
        }

        return body;
    }

    private static void SendAll(Socket socket, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[socket.Send(bytes)..];
        }
    }

    private static void ReceiveAll(Socket socket, Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int got = socket.Receive(bytes);
            if (got == 0)
            {
                throw new EndOfStreamException("the connection ended within a frame");
            }

            bytes = bytes[got..];
        }
    }
}
