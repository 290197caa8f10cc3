using System.Runtime.InteropServices;
using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Ioctl;

/// <summary><c>struct dm_target_msg</c>, the payload of <see cref="DmCommand.TargetMessage"/>, and the text that answers it.</summary>
public static class TargetMessage
{
    // sector u64, message NUL
    private const int TextOffset = 8;

    /// <summary>Writes a message.</summary>
    public static byte[] Write(Sector sector, string message)
    {
        byte[] payload = GC.AllocateArray<byte>(TextOffset + NullTerminated.Length(message, "message") + 1, pinned: true);
        ulong value = sector.Value;
        MemoryMarshal.Write(payload, in value);
        NullTerminated.Write(payload.AsSpan(TextOffset), message);
        return payload;
    }

    /// <summary>Reads a message.</summary>
    /// <param name="ioctl">The request.</param>
    /// <param name="size">How many of its bytes were given.</param>
    /// <param name="keys">Takes the key in it.</param>
    /// <exception cref="DmException">EINVAL: it lies outside of the buffer, or does not end in it.</exception>
    internal static (Sector Sector, string Message) Read(DmIoctl ioctl, int size, PassedKeys keys)
    {
        uint start = ioctl.DataStart;
        if (start < DmIoctl.FixedSize || start > (uint)size || size - (int)start <= TextOffset)
        {
            throw new DmException(Errno.EINVAL, "the message lies outside of the buffer");
        }

        ReadOnlySpan<byte> bytes = ioctl.Bytes[(int)start..size];
        if (!bytes[TextOffset..].Contains((byte)0))
        {
            throw new DmException(Errno.EINVAL, "the message has no NUL at its end");
        }

        return (new Sector(MemoryMarshal.Read<ulong>(bytes)), keys.ReadMessage(bytes[TextOffset..], "message"));
    }

    /// <summary>How many bytes of text may answer a message: see <see cref="WriteAnswer"/>.</summary>
    internal static int RoomForAnswer(int size) => Math.Max(0, size - DmIoctl.HeaderSize - 2);

    /// <summary>Writes the text that answers a message. What does not fit sets <see cref="DmFlags.BufferFull"/>.</summary>
    internal static void WriteAnswer(DmIoctl ioctl, int size, string answer)
    {
        ResultBuffer result = new(ioctl, size);
        ioctl.Flags |= DmFlags.DataOut;
        int length = NullTerminated.Length(answer, "answer") + 1;

        // One byte more than needed, as the kernel has it.
        if (result.Fits(0, length + 1))
        {
            NullTerminated.Write(result.Bytes, answer);
            result.End(length);
        }
    }

    /// <summary>Reads the text that answers a message; null where there is none.</summary>
    /// <exception cref="DmException">EBADMSG: it is not as the interface has it.</exception>
    public static string? ReadAnswer(DmIoctl ioctl) => ioctl.Has(DmFlags.DataOut) ? ResultBuffer.Text(ResultBuffer.Of(ioctl)) : null;
}
