using System.Globalization;
using DeviceMapper.Cryptography;

namespace DeviceMapper.Ioctl;

/// <summary>
/// Keys in hexadecimal digits that a table or message has: they are put where targets find them, in locked memory, and the text names them, before it becomes a
/// string, of which the garbage collector would leave copies. Targets have taken them when this is disposed.
/// </summary>
internal sealed class PassedKeys : IDisposable
{
    private static long _number;

    private readonly List<string> _descriptions = [];

    private static ReadOnlySpan<byte> Blanks => " \t\n\v\f\r"u8;

    private static ReadOnlySpan<byte> Digits => "0123456789abcdef"u8;

    /// <summary>Reads the arguments of a target.</summary>
    /// <param name="type">The target's.</param>
    /// <param name="text">The bytes, without a NUL.</param>
    /// <param name="what">What they are, for the sentence of a refusal.</param>
    public string ReadArguments(string type, ReadOnlySpan<byte> text, string what) => type switch
    {
        "crypt" => Replace(text, WordRange(text, 1), what),
        "integrity" => ReadOptions(text, what),
        _ => NullTerminated.Read(text, what),
    };

    /// <summary>Reads a message: <c>key set KEY</c> has one.</summary>
    public string ReadMessage(ReadOnlySpan<byte> text, string what)
    {
        int end = text.IndexOf((byte)0);
        text = end < 0 ? text : text[..end];
        bool sets = Ascii(text[WordRange(text, 0)], "key") && Ascii(text[WordRange(text, 1)], "set");
        return sets ? Replace(text, WordRange(text, 2), what) : NullTerminated.Read(text, what);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (string description in _descriptions)
        {
            Keyring.Remove(Keyring.Passed, description);
        }
    }

    private static bool Ascii(ReadOnlySpan<byte> word, string expected) => System.Text.Ascii.EqualsIgnoreCase(word, expected);

    /// <summary>Where a word is; at the end, and empty, if there is none.</summary>
    private static Range WordRange(ReadOnlySpan<byte> text, int index)
    {
        int at = 0;
        while (true)
        {
            int start = text[at..].IndexOfAnyExcept(Blanks);
            if (start < 0)
            {
                return text.Length..;
            }

            at += start;
            int length = text[at..].IndexOfAny(Blanks);
            length = length < 0 ? text.Length - at : length;
            if (index-- == 0)
            {
                return at..(at + length);
            }

            at += length;
        }
    }

    // ... internal_hash:ALGORITHM:KEY ...
    private string ReadOptions(ReadOnlySpan<byte> text, string what)
    {
        string read = "";
        for (int at = 0; at < text.Length;)
        {
            ReadOnlySpan<byte> rest = text[at..];
            Range range = WordRange(rest, 0);
            ReadOnlySpan<byte> word = rest[range];
            int end = range.End.GetOffset(rest.Length), start = end - word.Length;
            if (word.StartsWith("internal_hash:"u8) || word.StartsWith("journal_mac:"u8) || word.StartsWith("journal_crypt:"u8))
            {
                int option = word.IndexOf((byte)':') + 1, colon = word[option..].IndexOf((byte)':');
                int key = colon < 0 ? word.Length : option + colon + 1;
                read += Replace(rest[..end], (start + key)..end, what);
            }
            else
            {
                read += NullTerminated.Read(rest[..end], what);
            }

            at += end;
        }

        return read;
    }

    /// <summary>The text, with a key's name in place of its digits. What is no key stays.</summary>
    private string Replace(ReadOnlySpan<byte> text, Range range, string what)
    {
        ReadOnlySpan<byte> digits = text[range];
        if (digits.IsEmpty || digits.Length % 2 != 0 || digits.ContainsAnyExcept(Digits))
        {
            return NullTerminated.Read(text, what);
        }

        using SecretMemory key = new(digits.Length / 2);
        Convert.FromHexString(digits, key.Span, out _, out _);
        string description = Interlocked.Increment(ref _number).ToString(CultureInfo.InvariantCulture);
        Keyring.Add(Keyring.Passed, description, key.Span);
        _descriptions.Add(description);
        int end = range.End.GetOffset(text.Length);
        return $"{NullTerminated.Read(text[..(end - digits.Length)], what)}:{key.Length}:{Keyring.Passed}:{description}{NullTerminated.Read(text[end..], what)}";
    }
}
