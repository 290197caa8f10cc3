using System.Globalization;
using System.Text.Json;
using Udm.Statistics;

namespace Udm.Reports;

/// <summary>A device's I/O in an interval.</summary>
/// <param name="Name">The device.</param>
/// <param name="Suspended">Whether it is suspended.</param>
/// <param name="ReadsPerSecond">Reads.</param>
/// <param name="WritesPerSecond">Writes.</param>
/// <param name="ReadBytesPerSecond">What was read.</param>
/// <param name="WriteBytesPerSecond">What was written.</param>
/// <param name="ReadLatency">How long a read took on average, in microseconds; null without one.</param>
/// <param name="WriteLatency">How long a write took.</param>
/// <param name="InFlight">I/O in flight at the end.</param>
/// <param name="BusyPercent">The share of the time with I/O in flight.</param>
internal sealed record WatchRow(
    string Name,
    bool Suspended,
    double ReadsPerSecond,
    double WritesPerSecond,
    double ReadBytesPerSecond,
    double WriteBytesPerSecond,
    double? ReadLatency,
    double? WriteLatency,
    ulong InFlight,
    double BusyPercent)
{
    private const double Second = 1e9; // ns

    /// <summary>The headings.</summary>
    public static string Headings => $"{"Name",-16} {"R/s",8} {"W/s",8} {"RMiB/s",8} {"WMiB/s",8} {"R µs",8} {"W µs",8} {"InFl",5} {"Busy%",5}";

    /// <summary>The multipath device's paths: name, state, and what is said of it.</summary>
    public IReadOnlyList<(string Path, string State, string Text)> Paths { get; init; } = [];

    /// <summary>Makes a row of the counters of an interval.</summary>
    public static WatchRow Of(string name, bool suspended, AreaCounters counters, TimeSpan interval)
    {
        double seconds = Math.Max(interval.TotalSeconds, 1e-9);
        return new WatchRow(
            name,
            suspended,
            counters[Counter.Reads] / seconds,
            counters[Counter.Writes] / seconds,
            counters[Counter.ReadSectors] * 512.0 / seconds,
            counters[Counter.WriteSectors] * 512.0 / seconds,
            Latency(counters[Counter.ReadTime], counters[Counter.Reads]),
            Latency(counters[Counter.WriteTime], counters[Counter.Writes]),
            counters[Counter.InProgress],
            Math.Min(100, 100 * counters[Counter.BusyTime] / Second / seconds));
    }

    /// <summary>As a line.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Name,-16} {ReadsPerSecond,8:0.#} {WritesPerSecond,8:0.#} {MiB(ReadBytesPerSecond),8:0.##} {MiB(WriteBytesPerSecond),8:0.##} {Micro(ReadLatency),8} {Micro(WriteLatency),8} {InFlight,5} {BusyPercent,5:0}");

    /// <summary>As a JSON object.</summary>
    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("name", Name);
        writer.WriteBoolean("suspended", Suspended);
        writer.WriteNumber("reads_per_second", Rounded(ReadsPerSecond));
        writer.WriteNumber("writes_per_second", Rounded(WritesPerSecond));
        writer.WriteNumber("read_bytes_per_second", Rounded(ReadBytesPerSecond));
        writer.WriteNumber("write_bytes_per_second", Rounded(WriteBytesPerSecond));
        WriteNumber(writer, "read_latency_us", ReadLatency);
        WriteNumber(writer, "write_latency_us", WriteLatency);
        writer.WriteNumber("in_flight", InFlight);
        writer.WriteNumber("busy_percent", Rounded(BusyPercent));
        writer.WriteStartArray("paths");
        foreach ((string path, string state, _) in Paths)
        {
            writer.WriteStartObject();
            writer.WriteString("path", path);
            writer.WriteString("state", state);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static double? Latency(ulong nanoseconds, ulong count) => count == 0 ? null : nanoseconds / 1e3 / count;

    private static double MiB(double bytes) => bytes / (1 << 20);

    private static string Micro(double? latency) => latency?.ToString("0", CultureInfo.InvariantCulture) ?? "-";

    private static double Rounded(double value) => Math.Round(value, 3);

    private static void WriteNumber(Utf8JsonWriter writer, string name, double? value)
    {
        if (value is { } number)
        {
            writer.WriteNumber(name, Rounded(number));
        }
        else
        {
            writer.WriteNull(name);
        }
    }
}
