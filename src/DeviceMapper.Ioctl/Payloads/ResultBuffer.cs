using DeviceMapper.Native;

namespace DeviceMapper.Ioctl;

/// <summary>The room behind the struct, where a command puts its result (the kernel's <c>get_result_buffer</c>).</summary>
internal readonly ref struct ResultBuffer
{
    private readonly DmIoctl _ioctl;

    /// <summary>Sets <see cref="DmIoctl.DataStart"/> to behind the struct, or to its end where it is shorter.</summary>
    /// <param name="ioctl">The request, which becomes the answer.</param>
    /// <param name="size">How many bytes the caller has room for, struct included.</param>
    public ResultBuffer(DmIoctl ioctl, int size)
    {
        _ioctl = ioctl;
        ioctl.DataStart = (uint)Math.Min(DmIoctl.HeaderSize, size);
        Bytes = size > DmIoctl.HeaderSize ? ioctl.Bytes[DmIoctl.HeaderSize..size] : [];
    }

    /// <summary>The room.</summary>
    public Span<byte> Bytes { get; }

    /// <summary>Tells whether there is room; if not, says so to the caller.</summary>
    public bool Fits(int at, int length)
    {
        if (length <= Bytes.Length - at)
        {
            return true;
        }

        _ioctl.Flags |= DmFlags.BufferFull;
        return false;
    }

    /// <summary>Sets how many bytes of it are meant.</summary>
    public void End(int length) => _ioctl.DataSize = (uint)(DmIoctl.HeaderSize + Math.Min(length, Bytes.Length));

    /// <summary>The result in an answer.</summary>
    public static ReadOnlySpan<byte> Of(DmIoctl answer)
    {
        ReadOnlySpan<byte> bytes = answer.Bytes;
        uint start = answer.DataStart, end = Math.Min(answer.DataSize, (uint)bytes.Length);
        return start >= end ? [] : bytes[(int)start..(int)end];
    }

    /// <summary>A string of an answer, which must end before the answer does.</summary>
    public static string Text(ReadOnlySpan<byte> bytes) =>
        bytes.Contains((byte)0) ? NullTerminated.Read(bytes, "answer") : throw Malformed("a string does not end");

    /// <summary>The refusal of an answer.</summary>
    public static DmException Malformed(string reason) => new(Errno.EBADMSG, $"the answer cannot be understood: {reason}");
}
