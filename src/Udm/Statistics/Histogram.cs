using System.Text;

namespace Udm.Statistics;

/// <summary>What a histogram is printed with.</summary>
[Flags]
internal enum HistogramParts
{
    None = 0,
    Counts = 1,
    Percent = 2, // in place of the counts
    Lower = 4, // each bin's lower boundary
    Range = 8, // both boundaries
    Units = 16, // boundaries in whole units with their names, else in nanoseconds
    Narrow = 32, // without blanks for alignment, and colons between bins
}

/// <summary>A histogram of latencies.</summary>
/// <param name="Bounds">The upper boundary of each bin in nanoseconds; of the last the greatest number.</param>
/// <param name="Counts">How many I/Os each bin has; null where they were not asked for.</param>
internal sealed record Histogram(IReadOnlyList<ulong> Bounds, ulong[]? Counts)
{
    private const int CountWidth = 6;
    private const int BoundWidth = 6;
    private const int NanosecondsWidth = 10;

    /// <summary>Writes it in one of the forms of libdm's <c>dm_histogram_to_string</c>.</summary>
    public string Write(HistogramParts parts)
    {
        bool hasValues = parts.HasFlag(HistogramParts.Counts) || parts.HasFlag(HistogramParts.Percent);
        bool hasBounds = parts.HasFlag(HistogramParts.Lower) || parts.HasFlag(HistogramParts.Range);
        int fullWidth = hasValues && !parts.HasFlag(HistogramParts.Narrow) ? CountWidth : 0;
        ulong total = (Counts ?? []).Aggregate(0UL, (sum, count) => sum + count);
        StringBuilder text = new();
        for (int bin = 0; bin < Bounds.Count; bin++)
        {
            int width = fullWidth;
            string separator = hasValues && width == 0 && !hasBounds ? ":" : hasBounds ? width > 0 || !hasValues ? "," : ":" : "";
            string bound = "";
            if (hasBounds)
            {
                int room = width == 0 ? 0 : parts.HasFlag(HistogramParts.Units) ? BoundWidth : NanosecondsWidth;
                bound = BoundOf(bin, parts, room) + (hasValues ? ":" : "");
                width = width == 0 ? 0 : Math.Max(0, width - (bound.Length - (room + 1))); // what the boundary takes more, the value has less
            }

            ulong count = Counts?[bin] ?? 0;
            text.Append(bound);
            text.Append(parts.HasFlag(HistogramParts.Percent) ? Fixed.Write(PercentOf(bin, count, total), 2).PadLeft(width) + "%" : hasValues ? $"{count}".PadLeft(width) : "");
            text.Append(bin == Bounds.Count - 1 ? "" : separator);
        }

        return text.ToString();
    }

    private float PercentOf(int bin, ulong count, ulong total) =>
        total == 0 || count == 0 || Bounds[bin] == Lower(bin) ? 0 : Percentage.Of(count, total).Value;

    private ulong Lower(int bin) => bin == 0 ? 0 : Bounds[bin - 1];

    private string BoundOf(int bin, HistogramParts parts, int width)
    {
        bool units = parts.HasFlag(HistogramParts.Units);
        string lower = Time(Lower(bin), units);
        if (!parts.HasFlag(HistogramParts.Range))
        {
            return lower.PadLeft(width);
        }

        return Bounds[bin] == ulong.MaxValue ? $">{lower}".PadLeft(width) : $"{lower}-{Time(Bounds[bin], units)}";
    }

    private static string Time(ulong nanoseconds, bool units) =>
        !units ? $"{nanoseconds}"
        : nanoseconds % 1_000_000_000 == 0 ? $"{nanoseconds / 1_000_000_000}s"
        : nanoseconds % 1_000_000 == 0 ? $"{nanoseconds / 1_000_000}ms"
        : nanoseconds % 1_000 == 0 ? $"{nanoseconds / 1_000}us"
        : $"{nanoseconds}ns";
}
