using System.Globalization;
using System.Text;

namespace Udm.Verbs;

/// <summary>How names and uuids are written on their way to the daemon and back (<c>--manglename</c>).</summary>
internal enum ManglingMode
{
    /// <summary>As they are.</summary>
    None,

    /// <summary>Characters that udev does not like become <c>\xNN</c>; names that are mangled already are kept.</summary>
    Auto,

    /// <summary>As <see cref="Auto"/>, but what looks mangled is mangled again.</summary>
    Hex,
}

/// <summary>
/// libdm's mangling of names and uuids: a byte that is neither a letter, a digit nor one of <c>#+-.:=@_</c> becomes <c>\xNN</c>.
/// </summary>
internal static class NameMangling
{
    /// <summary>Reads a mode's word, in any case.</summary>
    public static bool TryParse(string? word, out ManglingMode mode)
    {
        mode = word?.ToLowerInvariant() switch { "none" => ManglingMode.None, "hex" => ManglingMode.Hex, _ => ManglingMode.Auto };
        return mode != ManglingMode.Auto || string.Equals(word, "auto", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>What the daemon is told for a name or uuid that a user wrote.</summary>
    /// <param name="text">As written.</param>
    /// <param name="what"><c>name</c> or <c>uuid</c>, for the sentence.</param>
    /// <param name="limit">The largest number of bytes of the result.</param>
    /// <param name="mode">The mode.</param>
    /// <exception cref="VerbException">It mixes mangled and other characters, is mangled twice, or is too long.</exception>
    public static string ToDaemon(string text, string what, int limit, ManglingMode mode)
    {
        RefuseTwiceMangled(text, what, mode);
        string mangled = mode == ManglingMode.None ? text : Mangle(text, what, mode);
        if (Encoding.UTF8.GetByteCount(mangled) > limit)
        {
            throw new VerbException($"the {what} '{text}' is too long: at most {limit} bytes are expected, mangled characters count as four");
        }

        return mangled;
    }

    /// <summary>What a user is shown for a name or uuid of the daemon.</summary>
    /// <exception cref="VerbException">It has characters that should be mangled, or is mangled twice.</exception>
    public static string FromDaemon(string text, string what, ManglingMode mode)
    {
        if (mode == ManglingMode.None)
        {
            return text;
        }

        RefuseTwiceMangled(text, what, mode);
        foreach (char c in text)
        {
            if (!IsPlain(c) && c != '\\')
            {
                throw new VerbException($"the {what} '{text}' has characters that should be mangled; use --manglename none to see it, or 'mangle' to rename it");
            }
        }

        return Unmangle(text);
    }

    /// <summary>Mangles; <see cref="ManglingMode.None"/> mangles as <see cref="ManglingMode.Auto"/> here.</summary>
    /// <exception cref="VerbException">Not with <see cref="ManglingMode.Hex"/>: mangled and other characters are mixed.</exception>
    public static string Mangle(string text, string what, ManglingMode mode)
    {
        StringBuilder mangled = new(text.Length);
        bool hasMangled = false;
        bool hasOther = false;
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        for (int i = 0; i < bytes.Length; i++)
        {
            char c = (char)bytes[i];
            if (mode != ManglingMode.Hex && c == '\\' && i + 1 < bytes.Length && bytes[i + 1] == 'x')
            {
                hasMangled = true;
                if (i + 4 > bytes.Length)
                {
                    throw Mixed(text, what);
                }

                mangled.Append(Encoding.ASCII.GetString(bytes, i, 4));
                i += 3;
            }
            else if (IsPlain(c))
            {
                mangled.Append(c);
            }
            else
            {
                hasOther = true;
                mangled.Append(CultureInfo.InvariantCulture, $"\\x{bytes[i]:x2}");
            }

            if (hasMangled && hasOther && mode != ManglingMode.Hex)
            {
                throw Mixed(text, what);
            }
        }

        return mangled.ToString();
    }

    /// <summary>Replaces each <c>\xNN</c> by its byte; what is no such form stays.</summary>
    public static string Unmangle(string text)
    {
        if (!text.Contains("\\x", StringComparison.Ordinal))
        {
            return text;
        }

        byte[] bytes = Encoding.UTF8.GetBytes(text);
        int length = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] == '\\' && i + 3 < bytes.Length && bytes[i + 1] == 'x'
                && byte.TryParse(bytes.AsSpan(i + 2, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte code))
            {
                bytes[length++] = code;
                i += 3;
            }
            else
            {
                bytes[length++] = bytes[i];
            }
        }

        return Encoding.UTF8.GetString(bytes, 0, length);
    }

    private static bool IsPlain(char c) => char.IsAsciiLetterOrDigit(c) || "#+-.:=@_".Contains(c, StringComparison.Ordinal);

    private static void RefuseTwiceMangled(string text, string what, ManglingMode mode)
    {
        if (mode == ManglingMode.Auto && text.Contains(@"\x5cx", StringComparison.Ordinal))
        {
            throw new VerbException($"the {what} '{text}' seems to be mangled twice; --manglename none takes it as it is");
        }
    }

    private static VerbException Mixed(string text, string what) =>
        new($"the {what} '{text}' mixes mangled characters (\\xNN) with others that should be mangled, or is not mangled properly");
}
