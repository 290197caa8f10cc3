using System.Diagnostics;
using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace Core;

/// <summary>What a reload costs, and what a reader sees of swaps.</summary>
internal static class Swaps
{
    /// <summary>A reload of a table with 1,000 devices that are all open.</summary>
    /// <returns>The median of its duration, in milliseconds, and the opens of all of them.</returns>
    public static (double Milliseconds, int Opens) Reload()
    {
        using DeviceRegistry registry = NullDevice.Registry();
        MappedDevice device = registry.Create("m");
        TableLine[] lines = [.. Enumerable.Range(0, 1000).Select(i => new TableLine(new Sector((ulong)i * 8), new SectorCount(8), "linear", $"null{i} 0"))];
        device.LoadTable(lines);
        device.Resume();
        int opens = NullDevice.Opens;
        List<double> times = [];
        for (int i = 0; i < 200; i++)
        {
            long start = Stopwatch.GetTimestamp();
            device.LoadTable(lines);
            device.Resume();
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        times.Sort();
        return (times[times.Count / 2], NullDevice.Opens - opens);
    }

    /// <summary>The longest wait of a reader during each of 1,000 swaps.</summary>
    /// <returns>The 50th and 99th percentile, in milliseconds.</returns>
    public static (double Median, double P99) Pauses()
    {
        using DeviceRegistry registry = NullDevice.Registry();
        MappedDevice device = NullDevice.Stack(registry, 1);
        long longest = 0; // ticks, since the last look
        bool over = false;
        Thread reader = new(() =>
        {
            Reader read = new(device);
            while (!Volatile.Read(ref over))
            {
                long start = Stopwatch.GetTimestamp();
                read.Once();
                long ticks = Stopwatch.GetTimestamp() - start;
                if (ticks > Volatile.Read(ref longest))
                {
                    Volatile.Write(ref longest, ticks);
                }
            }
        });
        reader.Start();
        Thread.Sleep(200); // compiled, and warm
        List<double> pauses = [];
        for (int i = 0; i < 1000; i++)
        {
            device.LoadTable("0 1000000 linear null 0");
            Volatile.Write(ref longest, 0);
            device.Resume();
            Thread.Sleep(1); // the reader ends the read that waited
            pauses.Add(Volatile.Read(ref longest) * 1000.0 / Stopwatch.Frequency);
        }

        Volatile.Write(ref over, true);
        reader.Join();
        pauses.Sort();
        return (pauses[pauses.Count / 2], pauses[pauses.Count * 99 / 100]);
    }

    /// <summary>Reads, and spins until the read has ended, as a front end's thread that polls.</summary>
    private sealed class Reader(BlockDevice device) : IBioCompletion
    {
        private readonly BioBuffer _buffer = new(BufferPool.Rent(4096).Address, 4096);
        private int _ended;

        public void Once()
        {
            Volatile.Write(ref _ended, 0);
            Bio bio = Bio.Rent();
            bio.Operation = BioOperation.Read;
            bio.Device = device;
            bio.Sector = default;
            bio.Count = new SectorCount(8);
            bio.Buffer = _buffer;
            bio.Submit(this);
            SpinWait spin = default;
            while (Volatile.Read(ref _ended) == 0)
            {
                spin.SpinOnce(sleep1Threshold: -1);
            }
        }

        public void BioEnded(Bio bio)
        {
            bio.Return();
            Volatile.Write(ref _ended, 1);
        }
    }
}
