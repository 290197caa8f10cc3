using System.Diagnostics;
using System.Runtime.InteropServices;
using Core;
using Scale;

// Very many devices, and their goals: ./udm publish && dotnet run -c Release --project bench/scale [REPORT.md]
const int Devices = 10_000;
const int Compared = 1_000;
const int Targets = 100_000;
const int Rounds = 9;
const int Clients = 200;
const int DevicesOfClient = 20;

string program = Path.GetFullPath("artifacts/udm/current/udm");
if (!File.Exists(program))
{
    Console.Error.WriteLine("run ./udm publish first, and this from the project's folder");
    return 1;
}

Report report = new();
using RunningDaemon daemon = new(program);
using Caller caller = new(daemon.ControlSocket);
string disk = Path.Join(daemon.Folder, "disk");
string Linear(int i) => LinearOf(daemon, i);

// What the daemon needs once is not the devices' share.
for (int i = 0; i < 200; i++)
{
    caller.Create("warm", Linear(0));
    caller.Remove("warm");
}

double[] pairs = Times(200, i =>
{
    caller.Create("pair", Linear(i));
    caller.Remove("pair");
});
double[] verbs = [.. Enumerable.Range(0, 30).Select(i => daemon.Verb("create", "pair", "--table", Linear(i)) + daemon.Verb("remove", "pair"))];
double[] starts = [.. Enumerable.Range(0, 30).Select(_ => daemon.Verb("version"))];

long memory = daemon.Memory;
double processor = daemon.ProcessorTime;
void Add(int i) => caller.Create($"device-{i:d5}", Linear(i));
Times(Devices - Compared, Add);
processor = daemon.ProcessorTime - processor;

// The first devices of a second daemon are made in turn with the last ones of this, so that both meet the same machine.
double[] firsts = new double[Compared], lasts = new double[Compared];
using (RunningDaemon second = new(program))
{
    using Caller other = new(second.ControlSocket);
    Times(200, i =>
    {
        other.Create("warm", LinearOf(second, i));
        other.Remove("warm");
    });
    for (int i = 0; i < Compared; i++)
    {
        firsts[i] = Times(1, _ => other.Create($"device-{i:d5}", LinearOf(second, i)))[0];
        lasts[i] = Times(1, _ => Add(Devices - Compared + i))[0];
    }
}

memory = daemon.Memory - memory;
double first = Median(firsts), last = Median(lasts);
report.Add($"create with a table, the first {Compared:n0} in a new daemon (median)", first, "ms");
report.Add($"the last {Compared:n0} of {Devices:n0}, made in turn with them", last, "ms");
report.Add("the last as fast as the first: ratio", last / first, "", 1.5);
report.Add("processor time of the daemon, a creation", processor / (Devices - Compared), "ms");
report.Add("memory of the daemon, a device", (double)memory / Devices, "KiB", 20);
foreach (string[] verb in (string[][])[["ls"], ["info", "-c"], ["table"], ["status"], ["deps"], ["ls", "--tree"]])
{
    AddVerb($"`udm {string.Join(' ', verb)}` of {Devices:n0}", 300, Rounds, verb);
}

pairs = [.. Times(200, i =>
{
    caller.Create("pair", Linear(i));
    caller.Remove("pair");
}), .. pairs];
report.Add("create + remove over the control socket, half of them beside the others (median)", Median(pairs), "ms", 2);
report.Add("`udm create` + `udm remove`, two processes (median)", Median(verbs), "ms");
report.Add("`udm version`: the start of a verb (median)", Median(starts), "ms", 15);

string large = Path.Join(daemon.Folder, "large");
File.WriteAllText(large, string.Concat(Enumerable.Range(0, Targets).Select(i => $"{i * 8} 8 linear file:{disk}?size=1T {(i * 16L) % 4096}\n")));
AddVerb($"`udm create` of a table of {Targets:n0} targets, from a file", 1000, 1, "create", "large", large);
AddVerb("`udm load` of it again", 1000, Rounds, "load", "large", large);
AddVerb("`udm table` of it", 1000, Rounds, "table", "large");

long started = Stopwatch.GetTimestamp();
int failures = Hammer();
report.Add($"{Clients} clients at once, each making and removing {DevicesOfClient}: failures", failures, "", 0);
report.Add("a create + remove of theirs", Stopwatch.GetElapsedTime(started).TotalMilliseconds / (Clients * DevicesOfClient), "ms", 2);
report.Add("devices that they left", caller.Count() - Devices - 1, "", 0);

started = Stopwatch.GetTimestamp();
daemon.Verb("remove_all");
report.Add("`udm remove_all`, a device", Stopwatch.GetElapsedTime(started).TotalMilliseconds / Devices, "ms");

string text = $"""
    # Scale

    {Devices:n0} devices of a linear target each, on one file, made one after another in one daemon of the NativeAOT program: one run of
    `./udm publish && dotnet run -c Release --project bench/scale`: {RuntimeInformation.FrameworkDescription}, {Environment.ProcessorCount} processors,
    {RuntimeInformation.ProcessArchitecture}, load {File.ReadAllText("/proc/loadavg").Split(' ')[0]} at its end. With a load above the number of processors all times are
    too long, and only counts and ratios mean something. A device is made by three ioctls over the control socket, as by dmsetup.

    {report}
    """;
Console.WriteLine(text);
if (args.Length > 0)
{
    File.WriteAllText(args[0], text);
}

return 0;

// The fastest of some rounds, and the mean processor time of verb and daemon, which others on the machine disturb less.
void AddVerb(string what, double goal, int rounds, params string[] words)
{
    double processor = daemon.ProcessorTime;
    report.Add(what, Enumerable.Range(0, rounds).Min(_ => daemon.Verb(words)), "ms", goal);
    report.Add("processor time of verb and daemon", (daemon.ProcessorTime - processor) / rounds, "ms");
}

int Hammer()
{
    int failed = 0;
    Thread[] threads = [.. Enumerable.Range(0, Clients).Select(client => new Thread(() =>
    {
        try
        {
            using Caller own = new(daemon.ControlSocket);
            for (int i = 0; i < DevicesOfClient; i++)
            {
                own.Create($"client-{client}", Linear(client));
                own.Remove($"client-{client}");
            }
        }
        catch (DeviceMapper.DmException e)
        {
            Console.Error.WriteLine(e.Message);
            Interlocked.Increment(ref failed);
        }
    }))];
    Array.ForEach(threads, thread => thread.Start());
    Array.ForEach(threads, thread => thread.Join());
    return failed;
}

static string LinearOf(RunningDaemon daemon, int i) => $"0 2048 linear file:{Path.Join(daemon.Folder, "disk")}?size=1T {i * 2048L}";

static double[] Times(int count, Action<int> step) => [.. Enumerable.Range(0, count).Select(i =>
{
    long start = Stopwatch.GetTimestamp();
    step(i);
    return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
})];

static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);
