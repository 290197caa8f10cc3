using System.Diagnostics;
using System.Runtime.InteropServices;
using Core;
using DeviceMapper.Mapping;

// What fault rules and statistics cost a 4 KiB bio over a null device, in place of a linear target without them:
// dotnet run -c Release --project bench/faults [REPORT.md]
const int Bios = 2000; // of a run: less than a turn on the processor
const int Runs = 2000; // the fastest tenth counts

using DeviceRegistry registry = NullDevice.Registry();
string rules = string.Join(' ', Enumerable.Range(0, 1000).Select(i => $"r{i}:read:{500_000 + (i * 16)}+8:error"));
Submitter linear = On("linear", "0 1000000 linear null 0");
Submitter none = On("none", "0 1000000 fault null 0");
Submitter many = On("many", $"0 1000000 fault null 0 {rules}");
Submitter counted = On("counted", "0 1000000 linear null 0", "@stats_create - /1");
Submitter precise = On("precise", "0 1000000 linear null 0", "@stats_create - /1 1 precise_timestamps");

long number = 0;
Report report = new();
double bare = Measure(() => linear.Submit(800));
report.Add("calibration: interlocked add", Measure(() => Interlocked.Add(ref number, 1)), "ns");
report.Add("a 4 KiB bio through linear", bare, "ns");
report.Add("fault without rules, more than linear", Measure(() => none.Submit(800)) - bare, "ns", 20);
report.Add("fault with 1,000 rules elsewhere, more than linear", Measure(() => many.Submit(800)) - bare, "ns", 100);
report.Add("fault with 1,000 rules near by, more than linear", Measure(() => many.Submit(500_008)) - bare, "ns", 100);
report.Add("statistics of one region", Measure(() => counted.Submit(800)) - bare, "ns", 30);
report.Add("statistics of one region, in nanoseconds", Measure(() => precise.Submit(800)) - bare, "ns");
string text = $"""
    # Faults

    What fault rules and statistics cost a 4 KiB bio over a null device, one run of `dotnet run -c Release --project bench/faults`:
    {RuntimeInformation.FrameworkDescription}, {Environment.ProcessorCount} processors, {RuntimeInformation.ProcessArchitecture}, load {File.ReadAllText("/proc/loadavg").Split(' ')[0]} at its end. The fastest tenth of {Runs:N0} runs of {Bios:N0} bios counts. Statistics in nanoseconds read the
    system's fine clock twice for each bio.

    {report}
    """;
Console.WriteLine(text);
if (args.Length > 0)
{
    File.WriteAllText(args[0], text);
}

Submitter On(string name, string table, string? message = null)
{
    MappedDevice device = registry.Create(name, table);
    if (message is not null)
    {
        device.Message(default, message);
    }

    return new Submitter(device);
}

static double Measure(Action bio)
{
    double[] runs = new double[Runs];
    for (int run = 0; run < Runs; run++)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < Bios; i++)
        {
            bio();
        }

        runs[run] = Stopwatch.GetElapsedTime(start).TotalNanoseconds / Bios;
    }

    Array.Sort(runs);
    return runs[Runs / 10];
}
