using Udm.Verbs;

namespace Udm.Statistics;

/// <summary>The boundaries of a histogram of latencies, as <c>--bounds</c> gives them and <c>@stats_create</c> takes them.</summary>
internal static class LatencyBounds
{
    private const ulong Second = 1_000_000_000;
    private const ulong Millisecond = 1_000_000;
    private const ulong Microsecond = 1_000;

    /// <summary>
    /// Reads boundaries: numbers with ns, us, ms or s, separated by commas. As in libdm, one without a unit has that of the one before, the
    /// first nanoseconds; two commas count as one, but leave room for a boundary 0 at the end.
    /// </summary>
    /// <returns>Nanoseconds.</returns>
    /// <exception cref="VerbException">A character or a boundary that is none.</exception>
    public static ulong[] Parse(string text)
    {
        ulong[] bounds = new ulong[text.Count(c => c == ',') + 1];
        ulong unit = 1;
        int count = 0;
        int at = 0;
        do
        {
            if (at >= text.Length || !"0123456789muns".Contains(text[at]))
            {
                throw Wrong(text, at < text.Length && text[at] == ',' ? "a boundary is missing" : "a number with ns, us, ms or s is expected");
            }

            ulong number = NumberPrefix.UInt64(text.AsSpan(at));
            at += NumberPrefix.Length(text.AsSpan(at));
            if (At(text, at) == 's')
            {
                unit = Second;
                at++;
            }
            else if (At(text, at + 1) == 's')
            {
                unit = At(text, at) switch { 'm' => Millisecond, 'u' => Microsecond, 'n' => 1, _ => throw Wrong(text, "ns, us, ms or s is expected") };
                at += 2;
            }
            else if (At(text, at) == ',')
            {
                at++;
            }
            else if (at < text.Length)
            {
                throw Wrong(text, "ns, us, ms or s is expected");
            }

            at += At(text, at) == ',' ? 1 : 0;
            bounds[count++] = number * unit;
        }
        while (at < text.Length);
        return bounds;
    }

    /// <summary>The option of <c>@stats_create</c>.</summary>
    /// <param name="bounds">Nanoseconds.</param>
    /// <param name="precise">Whether the region counts nanoseconds; set where a boundary is no whole number of milliseconds.</param>
    /// <exception cref="VerbException">They fall, or one is 0.</exception>
    public static string Option(IReadOnlyList<ulong> bounds, ref bool precise)
    {
        for (int i = 1; i < bounds.Count; i++)
        {
            if (bounds[i] < bounds[i - 1])
            {
                throw new VerbException("--bounds: each boundary is greater than the one before");
            }
        }

        if (bounds.Contains(0UL))
        {
            throw new VerbException("--bounds: a boundary is greater than 0");
        }

        precise |= bounds.Any(bound => bound % Millisecond != 0);
        ulong unit = precise ? 1 : Millisecond;
        return "histogram:" + string.Join(',', bounds.Select(bound => bound / unit));
    }

    private static char At(string text, int at) => at < text.Length ? text[at] : '\0';

    private static VerbException Wrong(string text, string reason) => new($"--bounds: '{text}': {reason}");
}
