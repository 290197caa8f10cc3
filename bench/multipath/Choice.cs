using System.Diagnostics;
using DeviceMapper.Mapping;

namespace Multipath;

/// <summary>What the choice of a path costs: a read through multipath less one through linear, over the same memory.</summary>
internal static class Choice
{
    private const int Reads = 20_000; // a round: some milliseconds
    private const int Rounds = 60;

    /// <summary>Measures all selectors.</summary>
    public static void Run()
    {
        Console.WriteLine("\n| a read of 512 bytes from memory, fastest of interleaved rounds | paths | linear | multipath | more | without a clock's cost | goal | met |\n|---|---:|---:|---:|---:|---:|---:|---|");
        foreach (string selector in (string[])["round-robin", "queue-length", "service-time", "historical-service-time", "io-affinity"])
        {
            foreach (int paths in (int[])[2, 64])
            {
                if (selector == "io-affinity" && paths > Environment.ProcessorCount)
                {
                    continue; // a path without a processor is refused
                }

                (double linear, double multipath) = Measure(selector, paths, TimeProvider.System);
                double more = multipath - linear;
                (double linearFree, double multipathFree) = Measure(selector, paths, new Ticks());
                double choice = multipathFree - linearFree;
                double goal = paths == 2 ? 50 : 200;
                Console.WriteLine(
                    $"| `{selector}` | {paths} | {linear:0} ns | {multipath:0} ns | {more:0} ns | {choice:0} ns | ≤ {goal} ns | {(choice <= goal ? "yes" : "**no**")} |");
            }
        }
    }

    private static (double Linear, double Multipath) Measure(string selector, int paths, TimeProvider time)
    {
        using DeviceRegistry registry = new(new DeviceRegistryOptions { Time = time });
        string words = string.Join(' ', Enumerable.Range(0, paths).Select(i => selector == "io-affinity" ? $"mem:1M#disk {1UL << i:x}" : "mem:1M#disk"));
        MappedDevice linear = registry.Create("linear", "0 2048 linear mem:1M#disk 0");
        MappedDevice multipath = registry.Create(
            "multipath", $"0 2048 multipath 0 0 1 1 {selector} 0 {paths} {(selector == "io-affinity" ? 1 : 0)} {words}");
        using Reader throughLinear = new(linear), throughMultipath = new(multipath);
        double fastestLinear = double.MaxValue, fastestMultipath = double.MaxValue;
        for (int i = 0; i < Rounds; i++)
        {
            fastestLinear = Math.Min(fastestLinear, Time(throughLinear));
            fastestMultipath = Math.Min(fastestMultipath, Time(throughMultipath));
        }

        return (fastestLinear, fastestMultipath);
    }

    private static double Time(Reader reader)
    {
        long start = Stopwatch.GetTimestamp();
        reader.ReadInline(Reads);
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / Reads;
    }

    /// <summary>A clock whose readings cost nothing: each is 100 ns after the one before.</summary>
    private sealed class Ticks : TimeProvider
    {
        private long _now;

        public override long GetTimestamp() => _now += TimestampFrequency / 10_000_000;
    }
}
