using System.Diagnostics;
using System.Text.Json;

namespace Udm.Tests.Daemon;

/// <summary>A pool in use: grown, its volumes listed with what they share, and opened by their numbers.</summary>
public sealed class ThinGrowthTests
{
    private const int Block = 64 << 10;

    [Fact]
    public void A_pool_on_files_grows_under_its_volumes_and_thin_check_accepts_it()
    {
        using RunningDaemon daemon = new();
        string metadata = Path.Combine(daemon.Folder, "pool.meta"), data = Path.Combine(daemon.Folder, "pool.data");
        daemon.UdmOk("thin", "pool", "pool", daemon.Folder, "1M");
        daemon.UdmOk("thin", "create", "pool", "volume", "64M");
        daemon.UdmOk("thin", "grow", "pool", "2M");
        Assert.Equal(2 << 20, new FileInfo(data).Length);
        Assert.Contains("0/32 ", daemon.UdmOk("status", "pool"));
        Assert.EndsWith(" 128 3 0 \n", daemon.UdmOk("table", "pool")); // the mark is a tenth, still

        daemon.UdmOk("thin", "grow", "pool", "12G");
        Assert.Equal(12L << 20, new FileInfo(metadata).Length); // 64 bytes for each of its blocks
        daemon.UdmOk("thin", "grow", "pool", "12G", "32M");
        Assert.Contains("/8192 0/196608 ", daemon.UdmOk("status", "pool"));
        daemon.UdmOk("thin", "grow", "volume", "128M");
        Assert.StartsWith("0 262144 thin ", daemon.UdmOk("table", "volume"));

        string table = daemon.UdmOk("table");
        Refused("neither pools nor volumes are made smaller", "pool", "1M");
        Refused("neither pools nor volumes are made smaller", "volume", "64M");
        Refused("it is not made smaller", "pool", "12G", "4M");
        Refused("only pools have metadata", "volume", "128M", "64M");
        Assert.Equal(table, daemon.UdmOk("table"));

        daemon.UdmOk("remove", "volume");
        daemon.UdmOk("remove", "pool");
        Assert.Equal("no damage\n", daemon.UdmOk("thin", "check", metadata));
        Assert.SkipUnless(File.Exists("/usr/sbin/thin_check"), "needs thin-provisioning-tools for its last check");
        using Process check = Process.Start("/usr/sbin/thin_check", ["-q", metadata]);
        check.WaitForExit();
        Assert.Equal(0, check.ExitCode);

        void Refused(string sentence, params string[] words)
        {
            (int status, string output, string error) = daemon.Udm(["thin", "grow", .. words]);
            Assert.Equal((1, ""), (status, output));
            Assert.Contains(sentence, error);
        }
    }

    [Fact]
    public void A_write_to_a_full_pool_waits_as_long_as_the_daemon_was_told()
    {
        using RunningDaemon daemon = new(null, "--no-space-timeout", "1");
        (int wrong, _, string usage) = daemon.Udm("daemon", "--no-space-timeout", "soon");
        Assert.Equal(2, wrong);
        Assert.Contains("--no-space-timeout: 'soon' is not a number", usage);
        daemon.UdmOk("thin", "pool", "pool", daemon.Folder, "1M");
        daemon.UdmOk("thin", "create", "pool", "volume", "16M");
        using FileStream file = new(daemon.FileOf("volume"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 0);
        IOException refusal = Assert.Throws<IOException>(() => file.Write(new byte[2 << 20]));
        Assert.Contains("No space left", refusal.Message);
        Assert.Contains(" out_of_data_space discard_passdown error_if_no_space ", daemon.UdmOk("status", "pool"));
    }

    [Fact]
    public void Volumes_are_listed_with_what_they_alone_have_and_opened_again()
    {
        using RunningDaemon daemon = new();
        daemon.UdmOk("thin", "pool", "pool", daemon.Folder, "4M");
        daemon.UdmOk("thin", "create", "pool", "volume", "16M");
        Write("volume", 0, 10);
        daemon.UdmOk("thin", "snapshot", "volume", "before");
        Write("volume", 8, 4);
        Assert.Equal("0\tvolume\t16384\t768\t256\n1\tbefore\t16384\t640\t128\n", daemon.UdmOk("thin", "ls", "pool"));

        byte[] old = File.ReadAllBytes(daemon.FileOf("before"));
        daemon.UdmOk("remove", "before");
        Assert.Equal("0\tvolume\t16384\t768\t256\n1\t-\t-\t640\t128\n", daemon.UdmOk("thin", "ls", "pool"));
        using JsonDocument list = JsonDocument.Parse(daemon.UdmOk("thin", "ls", "pool", "--json"));
        JsonElement second = list.RootElement.GetProperty("volumes")[1];
        Assert.Equal(JsonValueKind.Null, second.GetProperty("size_kib").ValueKind);
        Assert.Equal(128, second.GetProperty("exclusive_kib").GetInt32());

        daemon.UdmOk("thin", "open", "pool", "1", "again", "16M");
        Assert.Equal(old, File.ReadAllBytes(daemon.FileOf("again")));
        Assert.Contains("the pool has no volume 7", daemon.Udm("thin", "open", "pool", "7", "none", "16M").Error);
        Assert.Contains("it is no thin pool", daemon.Udm("thin", "open", "volume", "1", "none", "16M").Error);
        Assert.Contains("'one' is not the number of a volume", daemon.Udm("thin", "open", "pool", "one", "none", "16M").Error);
        daemon.UdmOk("message", "pool", "0", "reserve_metadata_snap");
        Assert.Contains("keeps a metadata snapshot already", daemon.Udm("thin", "ls", "pool").Error);
        daemon.UdmOk("message", "pool", "0", "release_metadata_snap");
        Assert.DoesNotContain("none", daemon.UdmOk("ls"));

        void Write(string name, int first, int count)
        {
            using FileStream file = new(daemon.FileOf(name), FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 0);
            file.Position = first * Block;
            byte[] block = new byte[count * Block];
            Array.Fill(block, (byte)(first + 1));
            file.Write(block);
        }
    }
}
