using System.Globalization;

namespace DeviceMapper.Targets;

/// <summary>Numbers in arguments and messages, read as the kernel's targets read them: always decimal.</summary>
public static class KernelNumber
{
    /// <summary>
    /// Reads digits, which blanks may precede, as <c>sscanf("%llu%c")</c> does: a number beyond 64 bits is taken modulo 2^64.
    /// </summary>
    public static bool TryScan(ReadOnlySpan<char> word, out ulong value)
    {
        value = 0;
        word = word.TrimStart(" \t\n\r\v\f");
        foreach (char c in word)
        {
            if (!char.IsAsciiDigit(c))
            {
                return false;
            }

            value = unchecked((value * 10) + (ulong)(c - '0'));
        }

        return word.Length > 0;
    }

    /// <summary>As <see cref="TryScan(ReadOnlySpan{char}, out ulong)"/>, modulo 2^32 (<c>sscanf("%u%c")</c>, so <c>dm_read_arg</c>).</summary>
    public static bool TryScan(ReadOnlySpan<char> word, out uint value)
    {
        bool read = TryScan(word, out ulong wide);
        value = unchecked((uint)wide);
        return read;
    }

    /// <summary>
    /// Reads digits, which a plus sign may precede and a line end follow, as <c>kstrtoull</c> does: what does not fit is no number.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<char> word, out ulong value)
    {
        word = word.StartsWith('+') ? word[1..] : word;
        word = word.EndsWith('\n') ? word[..^1] : word;
        return ulong.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>As <see cref="TryParse(ReadOnlySpan{char}, out ulong)"/>, for 32 bits (<c>kstrtouint</c>).</summary>
    public static bool TryParse(ReadOnlySpan<char> word, out uint value)
    {
        bool read = TryParse(word, out ulong wide) && wide <= uint.MaxValue;
        value = read ? (uint)wide : 0;
        return read;
    }
}
