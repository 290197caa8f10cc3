using System.Diagnostics;

namespace Udm.Tests.Daemon;

/// <summary>A daemon in a process and a run folder of its own; killed, and unmounted, whatever happens.</summary>
internal sealed class RunningDaemon : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;

    public RunningDaemon(string? folder = null, params string[] options)
    {
        Folder = folder ?? Directory.CreateTempSubdirectory("udm-daemon").FullName;
        _process = Start(["daemon", .. options]);
        Log = WaitUntilReady();
    }

    /// <summary>One that somebody else has started.</summary>
    public RunningDaemon(string folder, Process process)
    {
        Folder = folder;
        _process = process;
        Log = WaitUntilReady();
    }

    /// <summary>Its run folder.</summary>
    public string Folder { get; }

    /// <summary>What it writes to standard error; complete when it has ended.</summary>
    public Task<string> Log { get; }

    public int Pid => _process.Id;

    /// <summary>A device as a file.</summary>
    public string FileOf(string device) => Path.Combine(Folder, "mapper", device);

    /// <summary>Runs a verb.</summary>
    /// <returns>The exit status, standard output, standard error.</returns>
    public (int Status, string Output, string Error) Udm(params string[] words)
    {
        using Process process = Start(words);
        process.StandardInput.Close();
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        Wait(process);
        return (process.ExitCode, output, error.Result);
    }

    /// <summary>Runs a verb that must succeed.</summary>
    public string UdmOk(params string[] words)
    {
        (int status, string output, string error) = Udm(words);
        Assert.True(status == 0, $"udm {string.Join(' ', words)}: {error}");
        return output;
    }

    /// <summary>Sends a signal, by kill(1).</summary>
    public void Signal(string name) => Process.Start("kill", ["-" + name, Pid.ToString()]).WaitForExit();

    /// <summary>Waits until it has ended.</summary>
    /// <returns>Its exit status.</returns>
    public int WaitForEnd()
    {
        Wait(_process);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Signal("TERM");
            if (!_process.WaitForExit(20_000))
            {
                _process.Kill();
                _process.WaitForExit();
            }
        }

        _process.Dispose();
        using (Process unmount = Process.Start(new ProcessStartInfo("umount", ["-l", Path.Combine(Folder, "mapper")]) { RedirectStandardError = true })!)
        {
            unmount.WaitForExit();
        }

        // A supervisor of `udm run` that is in the background removes its own folder when the last of its programs has ended.
        SpinWait.SpinUntil(() => !Directory.Exists(Folder) || Directory.GetDirectories(Folder, "seen-*").Length == 0, Patience);
        if (Directory.Exists(Folder))
        {
            Directory.Delete(Folder, recursive: true);
        }
    }

    private Task<string> WaitUntilReady()
    {
        Task<string> log = _process.StandardError.ReadToEndAsync();
        Assert.Equal("ready", _process.StandardOutput.ReadLine());
        return log;
    }

    private static void Wait(Process process)
    {
        if (!process.WaitForExit(Patience))
        {
            process.Kill();
            Assert.Fail($"{process.ProcessName} did not end");
        }
    }

    /// <summary>Starts a verb that goes on until it is killed.</summary>
    public Process Begin(params string[] words) => Start(words);

    private Process Start(params string[] words) => Process.Start(new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "udm"), words)
    {
        Environment = { ["UDM_RUN"] = Folder },
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;
}
