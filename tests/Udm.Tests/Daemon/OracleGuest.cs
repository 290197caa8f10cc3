using System.Diagnostics;

namespace Udm.Tests.Daemon;

/// <summary>The guest that the scenarios' kernel-oracle boots, for scripts beside these tests.</summary>
internal static class OracleGuest
{
    /// <summary>Runs a script in it.</summary>
    /// <param name="script">Its file here.</param>
    /// <param name="share">A folder that it has as $SHARE.</param>
    /// <param name="more">More arguments of QEMU.</param>
    public static Task<(int Status, string Output)> Run(string script, string share, string more = "") => Program(
        Path.Combine(RepositoryTests.Root, "tests/Scenarios/kernel-oracle"),
        more,
        Path.Combine(RepositoryTests.Root, "tests/Udm.Tests/Daemon", script),
        share);

    /// <summary>Runs a program, and ends it with the test; of one that fails the output has its errors too.</summary>
    public static async Task<(int Status, string Output)> Program(string program, string? more, params string[] words)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, words)
        {
            Environment = { ["ORACLE_S"] = "1500", ["ORACLE_QEMU"] = more },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        try
        {
            Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            return (process.ExitCode, process.ExitCode == 0 ? output : output + await error);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }
}
