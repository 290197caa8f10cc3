using System.Text;

namespace Udm.Verbs;

/// <summary>A device of the concise format.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Uuid">Its uuid; empty without one.</param>
/// <param name="Minor">Its minor number; null: any.</param>
/// <param name="ReadOnly">Whether it is read-only.</param>
/// <param name="Table">Its table, a line a target.</param>
internal sealed record ConciseDevice(string Name, string Uuid, uint? Minor, bool ReadOnly, string Table);

/// <summary>dmsetup's one-line format of devices: <c>name,uuid,minor,flags,table[,table...][;name...]</c>; a backslash takes the next character literally.</summary>
internal static class ConciseFormat
{
    private const int TableField = 4;

    /// <summary>Reads devices, one at a time, so that what stands before an error has been returned.</summary>
    /// <exception cref="VerbException">The text is malformed.</exception>
    public static IEnumerable<ConciseDevice> Parse(string text)
    {
        List<StringBuilder> fields = [new()];
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            bool last = i == text.Length - 1;
            if (c == '\\')
            {
                if (last)
                {
                    throw new VerbException("the concise text ends with a backslash; a character is expected after it");
                }

                fields[^1].Append(text[++i]);
                last = i == text.Length - 1;
            }
            else if (c == ',' && fields.Count <= TableField)
            {
                fields.Add(new());
                i = SkipBlanks(text, i);
            }
            else if (c == ',' && last)
            {
                throw new VerbException($"concise device '{fields[0]}': another line of its table is expected after the comma");
            }
            else if (c == ',')
            {
                fields[^1].Append('\n');
            }
            else if (c == ';')
            {
                yield return Device(fields);
                fields = [new()];
                i = SkipBlanks(text, i);
                continue;
            }
            else
            {
                fields[^1].Append(c);
            }

            if (i >= text.Length - 1)
            {
                yield return Device(fields);
            }
        }
    }

    /// <summary>Parts a text into one for each device, at each semicolon that has no backslash before it.</summary>
    public static IEnumerable<string> Split(string text)
    {
        int start = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\')
            {
                i++;
            }
            else if (text[i] == ';')
            {
                yield return text[start..i];
                int next = text.AsSpan(i + 1).IndexOfAnyExcept(" \t\r\n");
                start = next < 0 ? text.Length : i + 1 + next;
                i = start - 1;
            }
        }

        if (start < text.Length)
        {
            yield return text[start..];
        }
    }

    /// <summary>Escapes what has a meaning in the format.</summary>
    public static string Escape(string text)
    {
        if (text.AsSpan().IndexOfAny(",;\\") < 0)
        {
            return text;
        }

        StringBuilder escaped = new(text.Length + 8);
        foreach (char c in text)
        {
            if (c is ',' or ';' or '\\')
            {
                escaped.Append('\\');
            }

            escaped.Append(c);
        }

        return escaped.ToString();
    }

    private static int SkipBlanks(string text, int i)
    {
        while (i + 1 < text.Length && char.IsWhiteSpace(text[i + 1]))
        {
            i++;
        }

        return i;
    }

    private static ConciseDevice Device(List<StringBuilder> fields)
    {
        string name = fields[0].ToString();
        if (fields.Count <= TableField)
        {
            throw new VerbException($"concise device '{name}' has {fields.Count} fields; name,uuid,minor,flags,table are expected");
        }

        string table = fields[TableField].ToString();
        if (string.IsNullOrWhiteSpace(table))
        {
            throw new VerbException($"concise device '{name}' has no table");
        }

        string flags = fields[3].ToString();
        if (flags is not ("" or "rw" or "ro"))
        {
            throw new VerbException($"concise device '{name}': flags '{flags}' must be 'ro', 'rw' or empty");
        }

        return new(name, fields[1].ToString(), Minor(fields[2].ToString()), flags == "ro", table);
    }

    /// <summary>As dmsetup's atoi: the digits at the front count, and without any it is 0.</summary>
    private static uint? Minor(string text)
    {
        ReadOnlySpan<char> digits = text.AsSpan(0, text.AsSpan().IndexOfAnyExceptInRange('0', '9') is >= 0 and int end ? end : text.Length);
        return text.Length == 0 ? null : uint.TryParse(digits, out uint number) ? number : 0;
    }
}
