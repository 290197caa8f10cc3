using System.Diagnostics;

namespace Scale;

/// <summary>A daemon of the published program in a folder of its own, and the program's verbs.</summary>
internal sealed class RunningDaemon : IDisposable
{
    private readonly Process _process;
    private readonly string _program;

    /// <summary>Starts it, and waits until it is ready.</summary>
    /// <param name="program">The path of udm.</param>
    public RunningDaemon(string program)
    {
        _program = program;
        Folder = Directory.CreateTempSubdirectory("udm-scale-").FullName;
        _process = Process.Start(new ProcessStartInfo(program, ["daemon", "--run", RunFolder]) { RedirectStandardOutput = true })!;
        if (_process.StandardOutput.ReadLine() != "ready")
        {
            throw new InvalidOperationException("the daemon did not start");
        }
    }

    /// <summary>A folder for files, removed at the end.</summary>
    public string Folder { get; }

    /// <summary>Where the daemon's socket is.</summary>
    public string ControlSocket => Path.Join(RunFolder, "control");

    /// <summary>What it keeps in memory, in KiB (VmRSS of proc(5)).</summary>
    public long Memory
    {
        get
        {
            string line = File.ReadLines($"/proc/{_process.Id}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
            return long.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1]);
        }
    }

    /// <summary>Milliseconds of processor time that it and the verbs have used so far, in steps of 10 (proc(5)).</summary>
    public double ProcessorTime => Ticks($"/proc/{_process.Id}/stat", 13) + Ticks("/proc/self/stat", 15);

    private string RunFolder => Path.Join(Folder, "run");

    /// <summary>Runs a verb; its output is read, and thrown away.</summary>
    /// <returns>Milliseconds from its start to its end.</returns>
    public double Verb(params string[] words)
    {
        long start = Stopwatch.GetTimestamp();
        using Process process = Process.Start(new ProcessStartInfo(_program, [.. words, "--run", RunFolder]) { RedirectStandardOutput = true })!;
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? Stopwatch.GetElapsedTime(start).TotalMilliseconds
            : throw new InvalidOperationException($"udm {string.Join(' ', words)} ended with {process.ExitCode}");
    }

    /// <summary>Two neighbouring fields of a stat file: user and system time.</summary>
    private static double Ticks(string file, int field)
    {
        string text = File.ReadAllText(file);
        string[] fields = text[(text.LastIndexOf(')') + 2)..].Split(' '); // from the third field on
        return 10 * (double.Parse(fields[field - 2]) + double.Parse(fields[field - 1]));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        using Process end = Process.Start("kill", [$"{_process.Id}"]);
        _process.WaitForExit();
        _process.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
