using System.Runtime.InteropServices;
using DeviceMapper.Io;

namespace CryptEngine;

/// <summary>Threads that each submit bios one after the other for a time, and what processor time that took.</summary>
internal static partial class Submitting
{
    private const int ThreadCpuTime = 3; // CLOCK_THREAD_CPUTIME_ID
    private const int Often = 64; // bios between two looks at the clock

    /// <summary>Runs them.</summary>
    /// <param name="device">Where the bios go.</param>
    /// <param name="threads">How many.</param>
    /// <param name="seconds">Of its processor time, after as long again for the compiler.</param>
    /// <param name="operation">Read or write.</param>
    /// <param name="size">Bytes of a bio.</param>
    /// <param name="sectors">Size of the part of the device that is used.</param>
    /// <param name="random">Whether bios go anywhere, else one after the other.</param>
    /// <returns>Bytes in a second of processor time, of one thread; and in a second of time, of all.</returns>
    public static (double OfProcessor, double OfTime) Run(BlockDevice device, int threads, double seconds, BioOperation operation, int size, ulong sectors, bool random)
    {
        Measure(device, threads, seconds, operation, size, sectors, random);
        return Measure(device, threads, seconds, operation, size, sectors, random);
    }

    private static (double OfProcessor, double OfTime) Measure(
        BlockDevice device, int threads, double seconds, BioOperation operation, int size, ulong sectors, bool random)
    {
        double bytes = 0, processor = 0, time = 0;
        Lock adding = new();
        Thread[] all = [.. Enumerable.Range(0, threads).Select(number => new Thread(() =>
        {
            (double did, double took, double lasted) = One(device, seconds, operation, size, sectors, random, number + 1);
            lock (adding)
            {
                bytes += did;
                processor += took;
                time = Math.Max(time, lasted);
            }
        }))];
        Array.ForEach(all, thread => thread.Start());
        Array.ForEach(all, thread => thread.Join());
        return (bytes / processor, bytes / time);
    }

    private static (double Bytes, double Processor, double Time) One(
        BlockDevice device, double seconds, BioOperation operation, int size, ulong sectors, bool random, int seed)
    {
        BioBuffer buffer = new(BufferPool.Rent(size).Address, size);
        buffer.Clear(); // what verity expects
        ulong count = (ulong)size / Sector.Size, places = sectors / count, at = 0, state = (ulong)seed * 0x9e3779b97f4a7c15;
        Ended ended = new();
        long start = Environment.TickCount64;
        double processor = CpuSeconds();
        double bytes = 0;
        while (CpuSeconds() < processor + seconds)
        {
            for (int i = 0; i < Often; i++)
            {
                if (random)
                {
                    state = (state * 6364136223846793005) + 1442695040888963407;
                    at = (state >> 33) % places;
                }
                else
                {
                    at = (at + 1) % places;
                }

                Bio bio = Bio.Rent();
                bio.Operation = operation;
                bio.Device = device;
                bio.Sector = new Sector(at * count);
                bio.Count = new SectorCount(count);
                bio.Buffer = buffer;
                bio.Submit(ended);
                ended.Wait();
            }

            bytes += (double)Often * size;
        }

        return (bytes, CpuSeconds() - processor, (Environment.TickCount64 - start) / 1000.0);
    }

    private static unsafe double CpuSeconds()
    {
        long* time = stackalloc long[2];
        _ = ClockGetTime(ThreadCpuTime, time);
        return time[0] + (time[1] / 1e9);
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static unsafe partial int ClockGetTime(int clock, long* time);

    /// <summary>One bio is out at a time.</summary>
    private sealed class Ended : IBioCompletion
    {
        private volatile bool _ended;

        public void BioEnded(Bio bio)
        {
            if (bio.Status != BioStatus.Ok)
            {
                throw new InvalidOperationException($"a bio ended with {bio.Status}");
            }

            bio.Return();
            _ended = true;
        }

        public void Wait()
        {
            SpinWait wait = default;
            while (!_ended)
            {
                wait.SpinOnce();
            }

            _ended = false;
        }
    }
}
