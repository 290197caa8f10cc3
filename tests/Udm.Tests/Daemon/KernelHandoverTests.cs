namespace Udm.Tests.Daemon;

/// <summary>
/// Thin pools, snapshots and merges that the kernel and udm have in turn, on the same disks in a guest: every byte is what was written on either side, status
/// lines are the same before and after, and both sides' checkers find the metadata sound at each turn.
/// </summary>
public sealed class KernelHandoverTests
{
    private static readonly string[] Expected =
    [
        "ok thin 128",
        "ok thin 384 1 skip_block_zeroing",
        "ok thin 512 1 no_discard_passdown",
        "ok marked kernel udm",
        "ok marked udm kernel",
        "ok snapshots",
        "ok merge kernel udm",
        "ok merge udm kernel",
    ];

    [Fact(Timeout = 1_800_000)]
    public async Task Pools_snapshots_and_merges_change_hands_with_the_kernel()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("UDM_TEST_LONG") == "1", "one of the long tests: ./test --all");
        Assert.SkipUnless(File.Exists("/usr/sbin/thin_check"), "needs thin-provisioning-tools");
        Assert.SkipUnless(File.Exists("/usr/bin/qemu-system-x86_64"), "needs qemu-system-x86_64");
        string share = Directory.CreateTempSubdirectory("udm-guest").FullName;
        try
        {
            string program = (await OracleGuest.Program(Path.Combine(RepositoryTests.Root, "udm"), null, "publish")).Output.Trim();
            File.Copy(program, Path.Combine(share, "udm"));
            (int status, string output) = await OracleGuest.Run("handover.sh", share);
            Assert.True(status == 0, output);
            Assert.Equal(Expected, output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Trim()));
        }
        finally
        {
            Directory.Delete(share, recursive: true);
        }
    }
}
