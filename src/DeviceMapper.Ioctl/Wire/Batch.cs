using System.Runtime.InteropServices;
using DeviceMapper.Native;

namespace DeviceMapper.Ioctl;

/// <summary>
/// Several calls of one ioctl in one frame, so that a verb that asks for ten thousand devices does not wait ten thousand times. The request is the
/// structs one after the other, each of its <see cref="DmIoctl.DataSize"/> bytes; the answer is an errno, a length and a <see cref="Reply"/> for each.
/// </summary>
internal static class Batch
{
    private const int SizeOffset = 12; // of data_size, in the struct
    private const int HeaderSize = 2 * sizeof(uint);

    /// <summary>The body of a request.</summary>
    public static byte[] Join(IReadOnlyList<DmIoctl> requests)
    {
        byte[] body = new byte[requests.Sum(request => request.Bytes.Length)];
        int at = 0;
        foreach (DmIoctl request in requests)
        {
            request.Bytes.CopyTo(body.AsSpan(at));
            at += request.Bytes.Length;
        }

        return body;
    }

    /// <summary>The structs of a request.</summary>
    /// <exception cref="InvalidDataException">One does not lie within it.</exception>
    public static IEnumerable<DmIoctl> Split(ReadOnlyMemory<byte> body)
    {
        int size;
        for (int at = 0; at < body.Length; at += size)
        {
            size = body.Length - at < DmIoctl.HeaderSize ? 0 : MemoryMarshal.Read<int>(body.Span[(at + SizeOffset)..]);
            if (size < DmIoctl.HeaderSize || size > body.Length - at)
            {
                throw Malformed();
            }

            yield return new DmIoctl(body.Span.Slice(at, size));
        }
    }

    /// <summary>Adds how one call ended to the body of an answer.</summary>
    public static void Append(MemoryStream answers, Errno errno, Reply reply)
    {
        byte[] texts = reply.EncodeTexts();
        answers.Write(MemoryMarshal.AsBytes([(uint)errno, (uint)(texts.Length + reply.Ioctl.Length)]));
        answers.Write(texts);
        answers.Write(reply.Ioctl.Span);
    }

    /// <summary>The replies of an answer.</summary>
    /// <exception cref="InvalidDataException">They are not so many.</exception>
    public static IReadOnlyList<(Errno Errno, Reply Reply)> SplitReplies(ReadOnlyMemory<byte> body, int count)
    {
        List<(Errno, Reply)> replies = new(count);
        while (body.Length >= HeaderSize)
        {
            uint errno = MemoryMarshal.Read<uint>(body.Span), length = MemoryMarshal.Read<uint>(body.Span[sizeof(uint)..]);
            body = body[HeaderSize..];
            if (length > (uint)body.Length)
            {
                throw Malformed();
            }

            replies.Add(((Errno)errno, Reply.Decode(body[..(int)length])));
            body = body[(int)length..];
        }

        return body.IsEmpty && replies.Count == count ? replies : throw Malformed();
    }

    private static InvalidDataException Malformed() => new("not a batch of the control protocol");
}
