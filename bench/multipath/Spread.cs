using System.Diagnostics;
using DeviceMapper.Mapping;
using DeviceMapper.Nbd.Client;

namespace Multipath;

/// <summary>4 KiB random reads, 32 at a time, over two nbdkit servers: one of them by linear and by one path, and both by four paths.</summary>
internal static class Spread
{
    private const long Size = 256 << 20;
    private const int Rounds = 5;
    private const int Depth = 32;
    private static readonly TimeSpan _round = TimeSpan.FromSeconds(1);

    /// <summary>Measures all three in turn.</summary>
    public static void Run()
    {
        using Servers servers = new(Size, "left", "right");
        using DeviceRegistry registry = new(new DeviceRegistryOptions { Schemes = [new NbdScheme()] });
        string sectors = $"0 {Size / 512}";
        (string Name, MappedDevice Device)[] ways =
        [
            ("`linear`", registry.Create("linear", $"{sectors} linear {servers.Uri("left")} 0")),
            ("one path", registry.Create("one", $"{sectors} multipath 0 0 1 1 queue-length 0 1 0 {servers.Uri("left", "one")}")),
            ("two servers, four paths", registry.Create(
                "four",
                $"{sectors} multipath 0 0 1 1 queue-length 0 4 0 {servers.Uri("left", "a")} {servers.Uri("left", "b")} {servers.Uri("right", "a")} {servers.Uri("right", "b")}")),
        ];
        List<(double Rate, double Cost)>[] results = [.. ways.Select(_ => new List<(double, double)>())];
        for (int round = 0; round < Rounds; round++)
        {
            for (int i = 0; i < ways.Length; i++)
            {
                using DeepReader reader = new(ways[i].Device, Depth);
                TimeSpan before = Environment.CpuUsage.TotalTime;
                long start = Stopwatch.GetTimestamp();
                long reads = reader.ReadFor(_round);
                double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
                results[i].Add((reads / seconds, (Environment.CpuUsage.TotalTime - before).TotalMicroseconds / reads));
            }
        }

        Console.WriteLine($"\n| 4 KiB random reads, {Depth} at a time, median of {Rounds} interleaved rounds | reads a second | to `linear` | µs of our processor time a read |\n|---|---:|---:|---:|");
        double linear = Median(results[0].Select(r => r.Rate));
        for (int i = 0; i < ways.Length; i++)
        {
            double rate = Median(results[i].Select(r => r.Rate));
            Console.WriteLine($"| {ways[i].Name} | {rate:0} | × {rate / linear:0.00} | {Median(results[i].Select(r => r.Cost)):0.00} |");
        }
    }

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(Rounds / 2);
}
