using System.Diagnostics;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Nbd.Client;

namespace Multipath;

/// <summary>How long I/O stands still when a server is killed, and until a server that returns is used, with two nbdkit on Unix sockets.</summary>
internal static class Failover
{
    private const int Times = 11;

    /// <summary>Measures both.</summary>
    public static void Run()
    {
        using Servers servers = new(16 << 20, "left", "right");
        using DeviceRegistry registry = new(new DeviceRegistryOptions { Schemes = [new NbdScheme()] });
        MappedDevice device = registry.Create(
            "disk", $"0 32768 multipath 2 queue_if_no_path shared_cache 0 1 1 round-robin 0 2 0 {servers.Uri("left")} {servers.Uri("right")}");
        using Reader reader = new(device);
        List<double> stalls = [], returns = [];
        for (int i = 0; i < Times; i++)
        {
            stalls.Add(Stall(reader, servers));
            servers.Start("left");
            returns.Add(UntilGood(device));
        }

        Console.WriteLine($"\n| median of {Times}, two nbdkit servers on Unix sockets | time | goal |\n|---|---:|---:|");
        Console.WriteLine($"| from the kill of a server to the next I/O that ends | {Median(stalls):0.0} ms | ≤ 20 ms |");
        Console.WriteLine($"| from a server that listens to its path in use | {Median(returns):0.0} ms | ≤ 300 ms |");
    }

    /// <summary>The longest read around the kill: those before it are finished, and one of those after it met the loss.</summary>
    private static double Stall(Reader reader, Servers servers)
    {
        reader.Read();
        long start = Stopwatch.GetTimestamp();
        servers.Kill("left");
        BioStatus first = reader.Read(), second = reader.Read(); // both paths in turn
        double stall = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        servers.Clear("left");
        return first == BioStatus.Ok && second == BioStatus.Ok ? stall : throw new InvalidOperationException($"reads ended with {first}, {second}");
    }

    private static double UntilGood(MappedDevice device)
    {
        long start = Stopwatch.GetTimestamp();
        while (device.TableTexts(arguments: false)[0].Text.Contains(" F ", StringComparison.Ordinal))
        {
            Thread.Sleep(1);
        }

        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
