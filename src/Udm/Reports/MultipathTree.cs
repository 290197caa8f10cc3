using System.Globalization;
using System.Text.Json;

namespace Udm.Reports;

/// <summary>Draws what a multipath target answers to <c>show_paths</c>: groups, paths, states, and why.</summary>
internal static class MultipathTree
{
    /// <summary>Draws it.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="name">The mapped device.</param>
    /// <param name="report">The answer.</param>
    /// <param name="symbols">What to draw with.</param>
    /// <param name="now">The time, to say how long ago something was.</param>
    public static void Write(TextWriter output, string name, JsonElement report, TreeSymbols symbols, DateTimeOffset now)
    {
        output.WriteLine($"{name}: without a path, I/O {(report.GetProperty("queue_if_no_path").GetBoolean() ? "waits" : "fails")}{Waiting(report)}");
        JsonElement[] groups = [.. report.GetProperty("groups").EnumerateArray()];
        int width = groups.SelectMany(g => g.GetProperty("paths").EnumerateArray()).Select(p => Text(p, "path").Length).DefaultIfEmpty().Max();
        for (int g = 0; g < groups.Length; g++)
        {
            bool lastGroup = g == groups.Length - 1;
            output.WriteLine($"{(lastGroup ? symbols.Last : symbols.Branch)} group {Text(groups[g], "group")}: {Text(groups[g], "selector")}, {Text(groups[g], "state")}");
            JsonElement[] paths = [.. groups[g].GetProperty("paths").EnumerateArray()];
            for (int p = 0; p < paths.Length; p++)
            {
                output.Write($"{(lastGroup ? symbols.Empty : symbols.Line)} {(p == paths.Length - 1 ? symbols.Last : symbols.Branch)} ");
                output.WriteLine($"{Text(paths[p], "path").PadRight(width)}  {Describe(paths[p], now)}");
            }
        }

        foreach (JsonElement range in report.GetProperty("in_doubt").EnumerateArray())
        {
            string path = range.GetProperty("path").GetString() ?? "a path that the table no longer has";
            output.WriteLine($"in doubt: {Text(range, "sectors")} sectors at {Text(range, "start")}, by {path}");
        }
    }

    private static string Waiting(JsonElement report)
    {
        int forPath = report.GetProperty("waiting_for_path").GetInt32();
        int forDoubt = report.GetProperty("waiting_for_doubt").GetInt32();
        return (forPath > 0 ? $"; {forPath} I/Os wait for one" : "") + (forDoubt > 0 ? $"; {forDoubt} writes wait for the end of a doubt" : "");
    }

    private static string Describe(JsonElement path, DateTimeOffset now)
    {
        string state = Text(path, "state").PadRight("active".Length);
        string reason = Text(path, "reason");
        string since = reason.Length == 0 ? "" : $", {Ago(now - path.GetProperty("since").GetDateTimeOffset())}: {reason}";
        int failures = path.GetProperty("failures").GetInt32();
        string failed = failures == 0 ? "" : failures == 1 ? ", failed once" : $", failed {failures} times";
        return $"{state}  {Text(path, "in_flight")} in flight, {Text(path, "latency_us")} µs{failed}{since}";
    }

    private static string Ago(TimeSpan time) =>
        time.TotalMinutes < 2 ? string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, time.TotalSeconds):0} s ago")
        : time.TotalHours < 2 ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalMinutes:0} min ago")
        : string.Create(CultureInfo.InvariantCulture, $"{time.TotalHours:0} h ago");

    private static string Text(JsonElement element, string name) => element.GetProperty(name).ToString();
}
