using System.Diagnostics;
using DeviceMapper.Mapping;

namespace Core;

/// <summary>Two threads on one mapped device, against two processes with one thread and one device each, in turn.</summary>
internal static class Scaling
{
    private const int Rounds = 5;
    private const int Bios = 2_000_000; // of each worker in a round

    /// <summary>Runs the rounds.</summary>
    /// <returns>Medians of the processor time of a bio, in nanoseconds.</returns>
    public static (double Threads, double Processes) Run()
    {
        List<double> threads = [], processes = [];
        for (int i = 0; i < Rounds; i++)
        {
            processes.Add(Processes());
            threads.Add(Threads());
        }

        threads.Sort();
        processes.Sort();
        return (threads[Rounds / 2], processes[Rounds / 2]);
    }

    /// <summary>One process of two: prints the processor time of a bio.</summary>
    public static void Worker() => Console.WriteLine(Measure(1));

    private static double Threads() => Measure(2);

    private static double Processes()
    {
        Process[] workers = [.. Enumerable.Range(0, 2).Select(_ => Process.Start(new ProcessStartInfo(Environment.ProcessPath!, "worker") { RedirectStandardOutput = true })!)];
        double sum = 0;
        foreach (Process worker in workers)
        {
            sum += double.Parse(worker.StandardOutput.ReadToEnd());
            worker.WaitForExit();
            worker.Dispose();
        }

        return sum / workers.Length;
    }

    private static double Measure(int threads)
    {
        using DeviceRegistry registry = NullDevice.Registry();
        MappedDevice device = NullDevice.Stack(registry, 2);
        using Barrier warm = new(threads + 1);
        Thread[] workers = [.. Enumerable.Range(0, threads).Select(_ => new Thread(() =>
        {
            Submitter submitter = new(device);
            Submit(submitter, Bios / 5);
            warm.SignalAndWait();
            warm.SignalAndWait();
            Submit(submitter, Bios);
        }))];
        Array.ForEach(workers, w => w.Start());
        warm.SignalAndWait();
        TimeSpan before = Process.GetCurrentProcess().TotalProcessorTime;
        warm.SignalAndWait();
        Array.ForEach(workers, w => w.Join());
        TimeSpan used = Process.GetCurrentProcess().TotalProcessorTime - before;
        return used.TotalNanoseconds / Bios / threads;
    }

    private static void Submit(Submitter submitter, int count)
    {
        for (int i = 0; i < count; i++)
        {
            submitter.Submit((ulong)(i & 0xffff) * 8);
        }
    }
}
