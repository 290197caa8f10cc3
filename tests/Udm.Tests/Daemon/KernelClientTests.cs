using System.Diagnostics;

namespace Udm.Tests.Daemon;

/// <summary>The kernel's own NBD client, in a guest of its own: a file system, fio, a load, and a new connection after the first has gone.</summary>
public sealed class KernelClientTests
{
    private static readonly string[] Expected =
    [
        "33554432", // bytes of the kernel's device
        "load 0",
        "disk\tplain", // two connections
        "disk\tplain",
        "same", // the file system by the second connection
        "removed",
    ];

    [Fact(Timeout = 1_800_000)]
    public async Task A_file_system_lives_on_the_kernels_nbd_device()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("UDM_TEST_LONG") == "1", "one of the long tests: ./test --all");
        Assert.SkipUnless(File.Exists("/usr/sbin/nbd-client") || File.Exists("/sbin/nbd-client"), "needs nbd-client");
        Assert.SkipUnless(File.Exists("/usr/bin/qemu-system-x86_64"), "needs qemu-system-x86_64");
        string share = Directory.CreateTempSubdirectory("udm-guest").FullName;
        try
        {
            string program = (await Run(Path.Combine(RepositoryTests.Root, "udm"), "publish")).Output.Trim();
            File.Copy(program, Path.Combine(share, "udm"));
            (int status, string output) = await Run(
                Path.Combine(RepositoryTests.Root, "tests/Scenarios/kernel-oracle"), Path.Combine(RepositoryTests.Root, "tests/Udm.Tests/Daemon/kernel-client.sh"), share);
            Assert.True(status == 0, output);
            Assert.Equal(Expected, output.Split('\n').Where(Expected.Contains));
        }
        finally
        {
            Directory.Delete(share, recursive: true);
        }
    }

    private static async Task<(int Status, string Output)> Run(string program, params string[] words)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, words)
        {
            Environment = { ["ORACLE_S"] = "1500" },
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
