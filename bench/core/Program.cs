using System.Runtime.InteropServices;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Perfolizer.Horology;
using Core;

// The engine's figures beside their goals: dotnet run -c Release --project bench/core [REPORT.md]
// Goals are judged by ratios where they can be; the rest is to be read beside the calibration of the same run.
const int Extent = 8192, TwoBios = 16; // sectors of a target
if (args is ["worker"])
{
    Scaling.Worker();
    return;
}

IConfig config = ManualConfig.CreateEmpty()
    .AddJob(Job.Default
        .WithToolchain(InProcessEmitToolchain.Instance)
        .WithIterationTime(TimeInterval.FromMilliseconds(2)) // less than a turn on the processor, so that some are not disturbed
        .WithWarmupCount(400)
        .WithIterationCount(200)
        .WithGcForce(false)) // a collection between runs would empty the processor's caches, and a run is too short to fill them again
    .AddLogger(ConsoleLogger.Default)
    .WithOptions(ConfigOptions.DisableLogFile)
    .WithArtifactsPath(Path.Join(Path.GetTempPath(), "udm-bench"));

Figures calibration = new(BenchmarkRunner.Run<Calibration>(config));
Figures path = new(BenchmarkRunner.Run<BioPath>(config));
Figures lookup = new(BenchmarkRunner.Run<Lookup>(config));
(double threads, double processes) = Scaling.Run();
(double reload, int opens) = Swaps.Reload();
(double median, double p99) = Swaps.Pauses();

double one = path.Nanoseconds("Read4KiB", 1), further = (path.Nanoseconds("Read4KiB", 8) - one) / 7;
double alone = lookup.Nanoseconds("Sequential", 1, Extent);
Report report = new();
report.Add("calibration: interlocked add", calibration.Nanoseconds("InterlockedAdd"), "ns");
report.Add("calibration: copy of 4 KiB", calibration.Nanoseconds("Copy4KiB"), "ns");
report.Add("4 KiB bio through linear over a null device", one, "ns", 60);
report.Add("each further linear below (mean of 7)", further, "ns", 30);
report.Add("allocated for a bio through 8", BioPath.Allocated(8), "bytes", 0);
report.Add("target of a sector, one target", alone, "ns");
report.Add("sequential in 100,000 targets of 4 MiB: more than in one", lookup.Nanoseconds("Sequential", 100_000, Extent) - alone, "ns", 1);
report.Add("the same, targets of 8 KiB: every other bio in the next target", lookup.Nanoseconds("Sequential", 100_000, TwoBios) - alone, "ns");
report.Add("random in 100,000 targets of 4 MiB", lookup.Nanoseconds("Random", 100_000, Extent), "ns", 100);
report.Add("the same, targets of 8 KiB", lookup.Nanoseconds("Random", 100_000, TwoBios), "ns", 100);
report.Add("processor time of a bio through 2: two processes", processes, "ns");
report.Add("the same, two threads on one device", threads, "ns");
report.Add("two threads / two processes", threads / processes, "", 1.2);
report.Add("reload of a table with 1,000 shared devices (median of 200)", reload, "ms", 5);
report.Add("opens by these reloads", opens, "", 0);
report.Add("pause that a reader sees, 1,000 swaps: median", median, "ms");
report.Add("pause that a reader sees, 1,000 swaps: 99th percentile", p99, "ms", 1);

string text = $"""
    # Core

    The engine over null devices, one run of `dotnet run -c Release --project bench/core`: {RuntimeInformation.FrameworkDescription}, {Environment.ProcessorCount} processors,
    {RuntimeInformation.ProcessArchitecture}, load {File.ReadAllText("/proc/loadavg").Split(' ')[0]} at its end. With a load above the number of processors all times are too long, and only counts and
    ratios mean something. Times of single operations are the fastest of 200 runs of 2 ms. Differences below 20 % mean nothing.

    {report}
    """;
Console.WriteLine(text);
if (args.Length > 0)
{
    File.WriteAllText(args[0], text);
}

/// <summary>What a benchmark measured: the fastest of many short runs, which others on the machine did not disturb.</summary>
internal sealed class Figures(Summary summary)
{
    public double Nanoseconds(string method, params ReadOnlySpan<int> parameters)
    {
        foreach (BenchmarkReport report in summary.Reports)
        {
            if (report.BenchmarkCase.Descriptor.WorkloadMethod.Name == method && parameters.SequenceEqual([.. report.BenchmarkCase.Parameters.Items.Select(p => (int)p.Value)]))
            {
                return report.ResultStatistics!.Min;
            }
        }

        throw new InvalidOperationException($"{method} was not measured.");
    }
}
