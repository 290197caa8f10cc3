using System.Diagnostics;
using Core;
using DeviceMapper.Mapping;

// What fault rules and statistics cost a 4 KiB bio over a null device, in place of a linear target without them:
// dotnet run -c Release --project bench/faults
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
double calibration = Measure(() => Interlocked.Add(ref number, 1));
double bare = Measure(() => linear.Submit(800));
Print("calibration: interlocked add", calibration, null);
Print("a bio through linear", bare, null);
Print("fault without rules, more than linear", Measure(() => none.Submit(800)) - bare, 20);
Print("fault with 1,000 rules elsewhere, more than linear", Measure(() => many.Submit(800)) - bare, 100);
Print("fault with 1,000 rules near by, more than linear", Measure(() => many.Submit(500_008)) - bare, 100);
Print("statistics of one region", Measure(() => counted.Submit(800)) - bare, 30);
Print("statistics of one region, in nanoseconds", Measure(() => precise.Submit(800)) - bare, null);

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

static void Print(string what, double nanoseconds, double? goal) =>
    Console.WriteLine($"{what,-55} {nanoseconds,7:F1} ns{(goal is null ? "" : $"   goal {goal} ns")}");
