using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Mapping;

/// <summary>Reads tables as dmsetup does, and arguments as the kernel does.</summary>
public static class TableParser
{
    /// <summary>
    /// Reads a table as dmsetup reads it from a file or standard input: a line a target, <c>start length type arguments</c>;
    /// empty lines and lines that start with <c>#</c> are skipped.
    /// </summary>
    /// <exception cref="DmException">EINVAL, with the number of the line and what was expected.</exception>
    public static IReadOnlyList<TableLine> Parse(string text) => [.. ParseAll(text, refusal => throw refusal).Select(line => line.Line)];

    /// <summary>Reads a table as <see cref="Parse"/>, past lines that are malformed.</summary>
    /// <param name="text">The table.</param>
    /// <param name="refused">Told of each line that is malformed.</param>
    /// <returns>The other lines, with their numbers in the text from 1.</returns>
    public static IReadOnlyList<(int Number, TableLine Line)> ParseAll(string text, Action<DmException> refused)
    {
        List<(int Number, TableLine Line)> lines = [];
        int number = 0;
        foreach (string raw in text.Split('\n'))
        {
            number++;
            string line = Trim(raw);
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            try
            {
                lines.Add((number, ParseLine(line, number)));
            }
            catch (DmException refusal)
            {
                refused(refusal);
            }
        }

        return lines;
    }

    /// <summary>
    /// Reads one line as dmsetup's <c>sscanf("%llu %llu %s %n")</c>, which takes signs, and a length that its target's word follows
    /// without a blank; <paramref name="number"/> counts from 1 and is for the sentence.
    /// </summary>
    public static TableLine ParseLine(string line, int number)
    {
        ReadOnlySpan<char> rest = line;
        if (!TryScan(ref rest, out ulong start))
        {
            throw new DmException(Errno.EINVAL, $"line {number}: start: '{FirstWord(rest)}' is not a sector number");
        }

        if (!TryScan(ref rest, out ulong length))
        {
            throw new DmException(Errno.EINVAL, rest.IsWhiteSpace()
                ? $"line {number}: '{line}' is not 'start length target arguments'"
                : $"line {number}: length: '{FirstWord(rest)}' is not a number of sectors");
        }

        ReadOnlySpan<char> type = FirstWord(rest);
        if (type.IsEmpty)
        {
            throw new DmException(Errno.EINVAL, $"line {number}: '{line}' is not 'start length target arguments'");
        }

        ReadOnlySpan<char> arguments = WithoutComment(rest.TrimStart()[type.Length..]).TrimStart();
        return new TableLine(new Sector(start), new SectorCount(length), type.ToString(), arguments.ToString());
    }

    /// <summary>Splits arguments as the kernel's <c>dm_split_args</c>: at white space; a backslash takes the next character literally.</summary>
    public static IReadOnlyList<string> SplitWords(string arguments)
    {
        List<string> words = [];
        StringBuilder word = new();
        bool inWord = false;
        for (int i = 0; i < arguments.Length; i++)
        {
            char c = arguments[i];
            if (c == '\\' && i + 1 < arguments.Length)
            {
                word.Append(arguments[++i]);
                inWord = true;
            }
            else if (!char.IsAsciiLetterOrDigit(c) && (c is ' ' or '\t' or '\n' or '\r' or '\v' or '\f' or '\u00a0'))
            {
                if (inWord)
                {
                    words.Add(word.ToString());
                    word.Clear();
                    inWord = false;
                }
            }
            else
            {
                word.Append(c);
                inWord = true;
            }
        }

        if (inWord)
        {
            words.Add(word.ToString());
        }

        return words;
    }

    /// <summary>Escapes blanks, backslashes and what would start a comment, so that <see cref="SplitWords"/> gives the word back.</summary>
    public static string EscapeWord(string word)
    {
        bool comment = word.StartsWith('#');
        if (!comment && word.AsSpan().IndexOfAny(" \t\n\r\v\f\\\u00a0") < 0)
        {
            return word;
        }

        StringBuilder escaped = new(word.Length + 8);
        if (comment)
        {
            escaped.Append('\\');
        }

        foreach (char c in word)
        {
            if (c is ' ' or '\t' or '\n' or '\r' or '\v' or '\f' or '\\' or '\u00a0')
            {
                escaped.Append('\\');
            }

            escaped.Append(c);
        }

        return escaped.ToString();
    }

    /// <summary>Takes blanks off both ends, but not one at the end that a backslash makes part of a word.</summary>
    private static string Trim(string line)
    {
        string trimmed = line.Trim(' ', '\t', '\r');
        int backslashes = trimmed.Length - trimmed.TrimEnd('\\').Length;
        return backslashes % 2 == 1 && line.TrimStart(' ', '\t', '\r') is var rest && rest.Length > trimmed.Length
            ? rest[..(trimmed.Length + 1)]
            : trimmed;
    }

    /// <summary>Ends arguments before a word that starts with <c>#</c>. (dmsetup ends them at any <c>#</c>; here it may be part of a device's word.)</summary>
    private static ReadOnlySpan<char> WithoutComment(ReadOnlySpan<char> arguments)
    {
        for (int i = 1; i < arguments.Length; i++)
        {
            bool startsWord = char.IsWhiteSpace(arguments[i - 1]) && (i == 1 || arguments[i - 2] != '\\');
            if (arguments[i] == '#' && startsWord)
            {
                return arguments[..(i - 1)];
            }
        }

        return arguments;
    }

    private static ReadOnlySpan<char> FirstWord(ReadOnlySpan<char> text)
    {
        text = text.TrimStart();
        int end = 0;
        while (end < text.Length && !char.IsWhiteSpace(text[end]))
        {
            end++;
        }

        return text[..end];
    }

    /// <summary>Takes a number from the front as the C library's <c>%llu</c>: a minus negates modulo 2^64, too large a number is the largest.</summary>
    private static bool TryScan(ref ReadOnlySpan<char> text, out ulong value)
    {
        ReadOnlySpan<char> number = text.TrimStart();
        bool negative = number.StartsWith('-');
        number = number.Length > 0 && number[0] is '+' or '-' ? number[1..] : number;
        int digits = number.IndexOfAnyExceptInRange('0', '9');
        digits = digits < 0 ? number.Length : digits;
        if (digits == 0)
        {
            value = 0;
            return false;
        }

        value = ulong.TryParse(number[..digits], out ulong magnitude) ? (negative ? 0 - magnitude : magnitude) : ulong.MaxValue;
        text = number[digits..];
        return true;
    }
}
