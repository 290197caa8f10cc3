using System.Globalization;

namespace Udm.Statistics;

/// <summary>Numbers at the front of a text, as C's <c>atoi</c> and <c>strtoull</c> read them: what follows does not matter.</summary>
internal static class NumberPrefix
{
    /// <summary>How many characters are digits, perhaps with a point among them.</summary>
    public static int Length(ReadOnlySpan<char> text, bool withFraction = false)
    {
        int end = 0;
        bool point = !withFraction;
        for (; end < text.Length && (char.IsAsciiDigit(text[end]) || (!point && end > 0 && text[end] == '.')); end++)
        {
            point |= text[end] == '.';
        }

        return end;
    }

    /// <summary>The number; the greatest for one that is too large, 0 without one.</summary>
    public static ulong UInt64(ReadOnlySpan<char> text)
    {
        ReadOnlySpan<char> digits = text[..Length(text)];
        return digits.IsEmpty ? 0 : ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) ? number : ulong.MaxValue;
    }

    /// <summary>The number, which may be negative; 0 without one.</summary>
    public static int Int32(ReadOnlySpan<char> text)
    {
        text = text.TrimStart();
        bool negative = text.StartsWith("-");
        long number = (long)Math.Min(UInt64(negative || text.StartsWith("+") ? text[1..] : text), long.MaxValue);
        return unchecked((int)(negative ? -number : number));
    }
}
