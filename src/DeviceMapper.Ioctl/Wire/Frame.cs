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

/// <summary>A frame on the control socket, received by a <see cref="FrameStream"/>.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Code">An ioctl's number, or an errno.</param>
/// <param name="Body">Pinned, so that it can be wiped; another frame's once that is received.</param>
internal readonly record struct Frame(FrameKind Kind, uint Code, Memory<byte> Body)
{
    /// <summary>Overwrites the body.</summary>
    public void Wipe() => CryptographicOperations.ZeroMemory(Body.Span);
}
