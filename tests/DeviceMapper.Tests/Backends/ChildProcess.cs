using System.Diagnostics;

namespace DeviceMapper.Tests.Backends;

/// <summary>Runs other programs.</summary>
internal static class ChildProcess
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(60);

    /// <summary>Runs a program to its end, which must be a success.</summary>
    /// <returns>What it printed.</returns>
    public static string Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        Assert.True(process.WaitForExit(_limit), $"{program} does not end");
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {errors.Result}");
        return output.Trim();
    }

    /// <summary>Runs a program of thin-provisioning-tools, as <see cref="Run"/>; the test is skipped where it is missing.</summary>
    public static string RunThinTool(string program, params string[] arguments)
    {
        string? path = new[] { "/usr/sbin/", "/sbin/", "/usr/bin/" }.Select(folder => folder + program).FirstOrDefault(File.Exists);
        Assert.SkipWhen(path is null, $"needs {program} (thin-provisioning-tools)");
        return Run(path!, arguments);
    }

    /// <summary>Starts perl with a script that prints a line when it is ready, and waits for the end of its input.</summary>
    /// <returns>The process: close its input and it ends.</returns>
    public static Process StartPerl(string script, params string[] arguments)
    {
        Process process = Process.Start(
            new ProcessStartInfo("perl", ["-MFcntl", "-e", $"$| = 1; {script}; print \"ready\\n\"; <STDIN>", .. arguments])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            })!;
        Assert.Equal("ready", process.StandardOutput.ReadLine());
        return process;
    }

    /// <summary>Ends such a process.</summary>
    public static void End(Process process)
    {
        process.StandardInput.Close();
        Assert.True(process.WaitForExit(_limit));
        process.Dispose();
    }
}
