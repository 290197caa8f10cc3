using System.Runtime.InteropServices;
using System.Text;

namespace DeviceMapper.Ioctl;

/// <summary>The body of a reply: a count of texts, the texts (each its length and UTF-8), then the bytes of the <see cref="DmIoctl"/>.</summary>
/// <param name="Sentence">Why the call was refused; "" if it was not.</param>
/// <param name="Warnings">Sentences for the user.</param>
/// <param name="Ioctl">The struct and as much of its payload as is meant.</param>
internal readonly record struct Reply(string Sentence, IReadOnlyList<string> Warnings, ReadOnlyMemory<byte> Ioctl)
{
    private static readonly byte[] _noTexts = new Reply("", [], default).EncodeAny();

    /// <summary>The texts, as they stand before the struct: no secrets are in them.</summary>
    public byte[] EncodeTexts() => Sentence.Length == 0 && Warnings.Count == 0 ? _noTexts : EncodeAny();

    private byte[] EncodeAny()
    {
        string[] texts = [Sentence, .. Warnings];
        byte[] bytes = new byte[sizeof(int) + texts.Sum(t => sizeof(int) + Encoding.UTF8.GetByteCount(t))];
        Span<byte> rest = bytes;
        PutInt(ref rest, texts.Length);
        foreach (string text in texts)
        {
            PutInt(ref rest, Encoding.UTF8.GetByteCount(text));
            rest = rest[Encoding.UTF8.GetBytes(text, rest)..];
        }

        return bytes;
    }

    /// <summary>Reads the body of a frame.</summary>
    /// <exception cref="InvalidDataException">It is no reply.</exception>
    public static Reply Decode(ReadOnlyMemory<byte> body)
    {
        int count = TakeInt(ref body);
        List<string> texts = [];
        for (int i = 0; i < count; i++)
        {
            int length = TakeInt(ref body);
            if (length > body.Length)
            {
                throw Malformed();
            }

            texts.Add(Encoding.UTF8.GetString(body.Span[..length]));
            body = body[length..];
        }

        return count == 0 ? throw Malformed() : new Reply(texts[0], texts[1..], body);
    }

    private static void PutInt(ref Span<byte> rest, int value)
    {
        MemoryMarshal.Write(rest, in value);
        rest = rest[sizeof(int)..];
    }

    private static int TakeInt(ref ReadOnlyMemory<byte> rest)
    {
        int value = rest.Length < sizeof(int) ? -1 : MemoryMarshal.Read<int>(rest.Span);
        if (value < 0)
        {
            throw Malformed();
        }

        rest = rest[sizeof(int)..];
        return value;
    }

    private static InvalidDataException Malformed() => new("not a reply of the control protocol");
}
