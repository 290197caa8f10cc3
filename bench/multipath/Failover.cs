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
        string folder = Directory.CreateTempSubdirectory("udm-bench-").FullName;
        string image = Path.Join(folder, "image");
        using (FileStream file = File.Create(image))
        {
            file.SetLength(16 << 20);
        }

        Process left = Serve(folder, "left", image), right = Serve(folder, "right", image);
        try
        {
            using DeviceRegistry registry = new(new DeviceRegistryOptions { Schemes = [new NbdScheme()] });
            MappedDevice device = registry.Create(
                "disk",
                $"0 32768 multipath 2 queue_if_no_path shared_cache 0 1 1 round-robin 0 2 0 nbd+unix:///?socket={folder}/left nbd+unix:///?socket={folder}/right");
            using Reader reader = new(device);
            List<double> stalls = [], returns = [];
            for (int i = 0; i < Times; i++)
            {
                stalls.Add(Stall(reader, left, Path.Join(folder, "left")));
                left = Serve(folder, "left", image);
                returns.Add(UntilGood(device));
            }

            Console.WriteLine($"From the kill of a server to the next I/O that ends:  median {Median(stalls):0.0} ms of {Times} (goal 20)");
            Console.WriteLine($"From a server that listens to its path in use:         median {Median(returns):0.0} ms of {Times} (goal 300)");
        }
        finally
        {
            left.Kill();
            right.Kill();
            left.WaitForExit();
            right.WaitForExit();
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The longest read around the kill: those before it are finished, and one of those after it met the loss.</summary>
    private static double Stall(Reader reader, Process server, string socket)
    {
        reader.Read();
        long start = Stopwatch.GetTimestamp();
        server.Kill();
        BioStatus first = reader.Read(), second = reader.Read(); // both paths in turn
        double stall = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        server.WaitForExit();
        File.Delete(socket);
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

    private static Process Serve(string folder, string name, string image)
    {
        string socket = Path.Join(folder, name);
        Process server = Process.Start("nbdkit", ["-f", "-U", socket, "file", image]);
        while (!File.Exists(socket))
        {
            Thread.Sleep(1);
        }

        return server;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
