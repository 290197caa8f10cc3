using System.Diagnostics;
using DeviceMapper.Targets.LogWrites;
using Udm.Replay;

// A log of 10,000 writes with a check at each of its 1,000 flushes, against a replay from the start for each check:
// dotnet run -c Release --project bench/replay
const int Writes = 10_000;
const int WritesOfAFlush = 10;
const int BlockSize = 4096;
const int Blocks = 16 * 1024; // of the device: 64 MiB
const int Samples = 20; // replays from the start that are measured; the others are taken to be as these
const double Goal = 10;

string folder = Directory.CreateTempSubdirectory("udm-bench-replay.").FullName;
try
{
    string path = Path.Combine(folder, "log");
    MakeLog(path);
    using WriteLog log = new(path);
    Check check = new("head -c 4096 \"$UDM_DEVICE\" >/dev/null", null);
    TimeSpan fromStart = FromStart(log, check);
    TimeSpan one = OnViews(log, check, jobs: 1), two = OnViews(log, check, jobs: 2);
    Console.WriteLine($"""
        | way | {Writes / WritesOfAFlush:N0} checks | a check | times as fast | goal |
        |---|---:|---:|---:|---:|
        | a replay from the start for each (mean of {Samples}) | {fromStart.TotalSeconds:F1} s | {OfACheck(fromStart):F2} ms | 1 | |
        | `udm replay --check` | {one.TotalSeconds:F1} s | {OfACheck(one):F2} ms | {fromStart / one:F1} | ≥ {Goal} |
        | `udm replay --check --jobs 2` | {two.TotalSeconds:F1} s | {OfACheck(two):F2} ms | {fromStart / two:F1} | |
        """);
}
finally
{
    Directory.Delete(folder, recursive: true);
}

static double OfACheck(TimeSpan all) => all.TotalMilliseconds / (Writes / WritesOfAFlush);

static void MakeLog(string path)
{
    Random random = new(1);
    using FileStream file = File.Create(path);
    byte[] block = new byte[BlockSize];
    new LogSuperBlock(Writes + (Writes / WritesOfAFlush), BlockSize).Write(block);
    file.Write(block);
    for (int write = 1; write <= Writes; write++)
    {
        Append(file, block, new LogEntry((ulong)random.Next(Blocks), 1, LogFlags.None, 0));
        random.NextBytes(block);
        file.Write(block);
        if (write % WritesOfAFlush == 0)
        {
            Append(file, block, new LogEntry(0, 0, LogFlags.Flush, 0));
        }
    }
}

static void Append(FileStream file, byte[] block, LogEntry entry)
{
    block.AsSpan().Clear();
    entry.Write(block);
    file.Write(block);
}

TimeSpan OnViews(WriteLog log, Check check, int jobs)
{
    string device = NewDevice();
    using CheckViews views = new();
    long start = Stopwatch.GetTimestamp();
    if (new Campaign(log, device, log.Entries.Count, check, views).Run(jobs) is { } failure)
    {
        throw new InvalidOperationException(failure.Text);
    }

    return Stopwatch.GetElapsedTime(start);
}

// What one would do without it: an empty device, replayed to the flush, which the check may change as it likes.
TimeSpan FromStart(WriteLog log, Check check)
{
    IReadOnlyList<int> points = [.. Enumerable.Range(1, log.Entries.Count).Where(i => log.Entries[i - 1].IsFlushPoint)];
    TimeSpan sum = default;
    for (int sample = 0; sample < Samples; sample++)
    {
        int point = points[points.Count * ((2 * sample) + 1) / (2 * Samples)];
        long start = Stopwatch.GetTimestamp();
        string device = NewDevice();
        using (LogReplayer replayer = new(log, device))
        {
            replayer.AdvanceTo(point);
        }

        check.Run(device, point, "");
        sum += Stopwatch.GetElapsedTime(start);
    }

    return sum / Samples * points.Count;
}

string NewDevice()
{
    string device = Path.Combine(folder, "device");
    File.Delete(device);
    using FileStream file = File.Create(device);
    file.SetLength((long)Blocks * BlockSize);
    return device;
}
