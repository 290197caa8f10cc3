using System.Diagnostics;

namespace Udm.Tests.Daemon;

/// <summary>The verb <c>verity</c>.</summary>
public sealed class VerityVerbTests
{
    [Fact]
    public void A_volume_is_made_checked_opened_and_closed()
    {
        using RunningDaemon daemon = new();
        (string data, string hash, string root) = MakeFiles(daemon);
        string output = daemon.UdmOk("verity", "format", data, hash, "--root-hash-file", root, "--salt", "0102", "--uuid", "12345678-1234-1234-1234-123456789abc");
        string rootHash = File.ReadAllText(root);
        Assert.Equal(
            $"uuid\t12345678-1234-1234-1234-123456789abc\nhash type\t1\ndata blocks\t512\ndata block size\t4096\nhash blocks\t5\nhash block size\t4096\nhash algorithm\tsha256\nsalt\t0102\nroot hash\t{rootHash}\n",
            output);
        Assert.Contains("\"data_blocks\":512,", daemon.UdmOk("verity", "dump", hash, "--json"));
        Assert.Equal("", daemon.UdmOk("verity", "verify", data, hash, rootHash));
        daemon.UdmOk("verity", "open", data, "v", hash, "--root-hash-file", root, "--check-at-most-once");
        Assert.Matches("^0 4096 verity 1 .*/data .*/hash 4096 4096 512 1 sha256 [0-9a-f]{64} 0102 1 check_at_most_once\n$", daemon.UdmOk("table", "v"));
        Assert.Matches("CRYPT-VERITY-12345678123412341234123456789abc-v", daemon.UdmOk("info", "v"));
        Assert.Contains("(Device or resource busy)", daemon.Udm("verity", "format", data, hash).Error);
        daemon.UdmOk("verity", "close", "v");

        using (FileStream stream = File.OpenWrite(data))
        {
            stream.Position = 4096 * 300;
            stream.WriteByte(1);
        }

        Assert.Equal((1, "", $"udm: verity {data}: block 300 of the data is corrupt\n"), daemon.Udm("verity", "verify", data, hash, rootHash));
    }

    [Fact]
    public void What_cannot_be_is_refused_in_a_sentence_and_makes_no_device()
    {
        using RunningDaemon daemon = new();
        (string data, string hash, string root) = MakeFiles(daemon);
        daemon.UdmOk("verity", "format", data, hash, "--root-hash-file", root);
        string rootHash = File.ReadAllText(root), wrong = new('0', 64);
        Assert.Contains($"udm: verity v: the root hash is not that of '{hash}'", daemon.Udm("verity", "open", data, "v", hash, wrong).Error);
        Assert.Contains("is not of pairs of hexadecimal digits", daemon.Udm("verity", "open", data, "v", hash, "xy").Error);
        Assert.Contains("the root hash has 1 bytes", daemon.Udm("verity", "open", data, "v", hash, "00").Error);
        Assert.Contains("there is no superblock", daemon.Udm("verity", "open", data, "v", data, rootHash).Error);
        Assert.Contains("is not blank", daemon.Udm("verity", "format", hash, data).Error);
        Assert.Contains("there is no hash 'nohash'", daemon.Udm("verity", "format", data, hash, "--hash", "nohash").Error);
        Assert.Equal(2, daemon.Udm("verity", "open", data, "v", hash).Status);
        Assert.Equal(2, daemon.Udm("verity", "open", data, "v", hash, rootHash, "--root-hash-file", root).Status);
        Assert.Equal(2, daemon.Udm("verity", "format", data, hash, "--data-blocks", "x").Status);
        Assert.Equal("No devices found\n", daemon.UdmOk("ls"));
        Assert.Equal("", daemon.UdmOk("verity", "verify", data, hash, rootHash));
        daemon.UdmOk("create", "z", "--table", "0 8 zero");
        Assert.Contains("it is no verity volume", daemon.Udm("verity", "close", "z").Error);
    }

    /// <summary>What veritysetup formatted, with parity, opens, and is repaired.</summary>
    [Fact]
    public void A_corrupt_block_is_repaired_by_the_parity_of_veritysetup()
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/veritysetup"), "needs veritysetup (cryptsetup-bin)");
        using RunningDaemon daemon = new();
        (string data, string hash, string root) = MakeFiles(daemon);
        string parity = Path.Combine(daemon.Folder, "parity");
        byte[] before = File.ReadAllBytes(data);
        using (Process format = Process.Start("/usr/sbin/veritysetup", ["format", data, hash, $"--root-hash-file={root}", $"--fec-device={parity}"]))
        {
            format.WaitForExit();
            Assert.Equal(0, format.ExitCode);
        }

        using (FileStream stream = File.OpenWrite(data))
        {
            stream.Position = 4096 * 300;
            stream.Write(new byte[4096]);
        }

        daemon.UdmOk("verity", "open", data, "v", hash, "--root-hash-file", root, "--fec-device", parity);
        Assert.Equal(before, File.ReadAllBytes(Path.Combine(daemon.Folder, "mapper", "v")));
        daemon.UdmOk("verity", "close", "v");
    }

    /// <summary>2 MiB of data, and paths for the tree and the root hash.</summary>
    private static (string Data, string Hash, string Root) MakeFiles(RunningDaemon daemon)
    {
        string data = Path.Combine(daemon.Folder, "data");
        byte[] bytes = new byte[2 << 20];
        new Random(4).NextBytes(bytes);
        File.WriteAllBytes(data, bytes);
        return (data, Path.Combine(daemon.Folder, "hash"), Path.Combine(daemon.Folder, "root"));
    }
}
