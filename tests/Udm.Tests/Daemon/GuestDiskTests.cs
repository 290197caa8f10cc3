namespace Udm.Tests.Daemon;

/// <summary>A guest of qemu-system whose disk is an export: its file system lives through swaps of the table, and is whole on the host.</summary>
public sealed class GuestDiskTests
{
    private const int Swaps = 5;

    [Fact(Timeout = 1_800_000)]
    public async Task A_guest_lives_on_an_export()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("UDM_TEST_LONG") == "1", "one of the long tests: ./test --all");
        Assert.SkipUnless(File.Exists("/usr/bin/qemu-system-x86_64"), "needs qemu-system-x86_64");
        Assert.SkipUnless(File.Exists("/sbin/debugfs"), "needs e2fsprogs");
        using RunningDaemon daemon = new();
        string share = Path.Combine(daemon.Folder, "share"), mounted = Path.Combine(share, "mounted");
        Directory.CreateDirectory(share);
        string table = $"0 131072 striped 2 128 file:{daemon.Folder}/a?size=32M 0 file:{daemon.Folder}/b?size=32M 0";
        daemon.UdmOk("create", "disk", "--table", table);
        Task<(int Status, string Output)> guest = OracleGuest.Run(
            "guest-disk.sh",
            share,
            $"-blockdev driver=nbd,node-name=d,server.type=unix,server.path={daemon.Folder}/nbd,export=disk,discard=unmap -device virtio-blk-pci,drive=d");
        while (!File.Exists(mounted) && !guest.IsCompleted)
        {
            await Task.Delay(200, TestContext.Current.CancellationToken);
        }

        for (int i = 0; i < Swaps && !guest.IsCompleted; i++)
        {
            daemon.UdmOk("load", "disk", "--table", table);
            daemon.UdmOk("resume", "disk");
        }

        File.WriteAllText(Path.Combine(share, "swapped"), "");
        (int status, string output) = await guest;
        Assert.True(status == 0, output);
        Assert.Equal(["67108864", "trimmed", "unmounted"], output.Split('\n').Intersect(["67108864", "trimmed", "unmounted"]));

        string device = daemon.FileOf("disk"), copy = Path.Combine(daemon.Folder, "copy");
        Assert.Equal(0, (await OracleGuest.Program("/sbin/e2fsck", null, "-fn", device)).Status);
        Assert.Equal(0, (await OracleGuest.Program("/sbin/debugfs", null, "-R", $"dump data {copy}", device)).Status);
        Assert.Equal(File.ReadAllBytes(Path.Combine(share, "data")), File.ReadAllBytes(copy));
    }
}
