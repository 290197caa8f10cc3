using System.Diagnostics;
using System.Text;
using Udm.Verbs;

namespace Udm.Replay;

/// <summary>How a check ended.</summary>
internal enum Verdict
{
    /// <summary>Exit status 0.</summary>
    Good,

    /// <summary>Exit status 125: it cannot tell.</summary>
    Skipped,

    /// <summary>Any other, or out of time.</summary>
    Bad,
}

/// <summary>A command that says whether a device is as it should be.</summary>
/// <param name="Command">For the shell.</param>
/// <param name="Limit">How long it may take; null for any time.</param>
internal sealed record Check(string Command, TimeSpan? Limit)
{
    private const int CannotTell = 125;

    /// <summary>Runs it.</summary>
    /// <param name="device">In UDM_DEVICE.</param>
    /// <param name="entry">In UDM_ENTRY: how many entries were replayed.</param>
    /// <param name="mark">In UDM_MARK: the last mark among them.</param>
    /// <returns>How it ended, and in words, with what it printed.</returns>
    public (Verdict Verdict, string Text) Run(string device, int entry, string mark)
    {
        ProcessStartInfo start = new("/bin/sh", ["-c", Command]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment["UDM_DEVICE"] = device;
        start.Environment["UDM_ENTRY"] = entry.ToString();
        start.Environment["UDM_MARK"] = mark;
        StringBuilder output = new();
        using Process process = new() { StartInfo = start };
        process.OutputDataReceived += (_, line) => Append(output, line.Data);
        process.ErrorDataReceived += (_, line) => Append(output, line.Data);
        if (!process.Start())
        {
            throw new VerbException("/bin/sh cannot be run");
        }

        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (!process.WaitForExit(Limit is { } limit ? (int)limit.TotalMilliseconds : -1))
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            return (Verdict.Bad, $"took longer than {Limit!.Value.TotalSeconds} s\n{Text(output)}");
        }

        process.WaitForExit(); // for the last of its output
        return process.ExitCode switch
        {
            0 => (Verdict.Good, ""),
            CannotTell => (Verdict.Skipped, ""),
            _ => (Verdict.Bad, $"ended with status {process.ExitCode}\n{Text(output)}"),
        };
    }

    private static void Append(StringBuilder output, string? line)
    {
        lock (output)
        {
            output.Append(line is null ? "" : $"  {line}\n");
        }
    }

    private static string Text(StringBuilder output)
    {
        lock (output)
        {
            return output.ToString();
        }
    }
}
