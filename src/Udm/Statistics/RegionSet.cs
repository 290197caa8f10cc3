using System.Globalization;
using System.Text;

namespace Udm.Statistics;

/// <summary>Sets of region numbers as they are written: <c>0-2,5</c>.</summary>
internal static class RegionSet
{
    /// <summary>Reads a set. Blanks may stand around numbers, and commas may be doubled, as in libdm.</summary>
    /// <returns>The numbers, rising; null where the text is malformed.</returns>
    public static SortedSet<int>? Parse(string text)
    {
        SortedSet<int> set = [];
        foreach (string word in text.Split(','))
        {
            string range = word.Trim();
            if (range.Length == 0)
            {
                continue;
            }

            int hyphen = range.IndexOf('-');
            if (!TryNumber(hyphen < 0 ? range : range[..hyphen].TrimEnd(), out int first)
                || !TryNumber(hyphen < 0 ? range : range[(hyphen + 1)..].TrimStart(), out int last)
                || first > last)
            {
                return null;
            }

            set.UnionWith(Enumerable.Range(first, last - first + 1));
        }

        return set;
    }

    /// <summary>Writes a set; neighbours become ranges.</summary>
    public static string Write(IEnumerable<int> rising)
    {
        StringBuilder text = new();
        int first = -1, last = -1;
        foreach (int number in rising)
        {
            if (first >= 0 && number == last + 1)
            {
                last = number;
                continue;
            }

            Append(text, first, last);
            first = last = number;
        }

        Append(text, first, last);
        return text.ToString();
    }

    private static void Append(StringBuilder text, int first, int last)
    {
        if (first >= 0)
        {
            text.Append(text.Length > 0 ? "," : "").Append(first).Append(last > first ? $"-{last}" : "");
        }
    }

    private static bool TryNumber(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number < 1 << 24;
}
