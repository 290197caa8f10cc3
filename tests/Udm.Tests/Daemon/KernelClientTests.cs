namespace Udm.Tests.Daemon;

/// <summary>The kernel's own NBD client, in a guest of its own: a file system, fio, swaps of the table, and a new connection after the first has gone.</summary>
public sealed class KernelClientTests
{
    private static readonly string[] Expected =
    [
        "33554432", // bytes of the kernel's device
        "swap 0", // while fio verifies
        "swap 0",
        "swap 0",
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
            string program = (await OracleGuest.Program(Path.Combine(RepositoryTests.Root, "udm"), null, "publish")).Output.Trim();
            File.Copy(program, Path.Combine(share, "udm"));
            (int status, string output) = await OracleGuest.Run("kernel-client.sh", share);
            Assert.True(status == 0, output);
            Assert.Equal(Expected, output.Split('\n').Where(Expected.Contains));
        }
        finally
        {
            Directory.Delete(share, recursive: true);
        }
    }
}
