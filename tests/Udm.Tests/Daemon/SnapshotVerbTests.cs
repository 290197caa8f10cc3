using System.Text.Json;

namespace Udm.Tests.Daemon;

/// <summary>The verb <c>snapshot</c>: made, listed and merged, and what it refuses.</summary>
public sealed class SnapshotVerbTests
{
    private const int Length = 1 << 20;

    [Fact]
    public void A_snapshot_keeps_what_was_and_a_merge_brings_it_back()
    {
        using RunningDaemon daemon = NewOrigin(out byte[] old);
        daemon.UdmOk("snapshot", "create", "disk", "before", Cow(daemon, "before"), "16K");
        Assert.Contains(" P 32\n", daemon.UdmOk("table", "before"));
        Write(daemon, "disk", 100_000, 70_000);
        byte[] changed = File.ReadAllBytes(daemon.FileOf("disk"));
        Assert.NotEqual(old, changed);
        Assert.Equal(old, File.ReadAllBytes(daemon.FileOf("before")));
        string list = daemon.UdmOk("snapshot", "list");
        Assert.Equal(list, daemon.UdmOk("snapshot", "ls"));
        Assert.Matches(@"^before\tdisk-real\t\d+ %\n$", list);
        using JsonDocument json = JsonDocument.Parse(daemon.UdmOk("snapshot", "ls", "--json"));
        JsonElement only = json.RootElement.GetProperty("snapshots")[0];
        Assert.Equal("disk-real", only.GetProperty("origin").GetString());
        Assert.False(only.GetProperty("merging").GetBoolean());

        daemon.UdmOk("snapshot", "merge", "before");
        Assert.Equal(old, File.ReadAllBytes(daemon.FileOf("disk")));
        Assert.Contains("snapshot-origin", daemon.UdmOk("table", "disk"));
        Assert.Equal("", daemon.UdmOk("snapshot", "ls"));
        Assert.DoesNotContain("before", daemon.UdmOk("ls"));
    }

    [Fact]
    public void A_merge_that_was_interrupted_is_waited_for_by_the_origins_name()
    {
        using RunningDaemon daemon = NewOrigin(out byte[] old);
        daemon.UdmOk("snapshot", "create", "disk", "before", Cow(daemon, "before"));
        Write(daemon, "disk", 0, 200_000);
        string words = daemon.UdmOk("table", "before").Split(" snapshot ")[1].Trim();
        daemon.UdmOk("load", "disk", "--table", $"0 {Length / 512} snapshot-merge {words}");
        daemon.UdmOk("suspend", "before");
        daemon.UdmOk("resume", "disk");
        daemon.UdmOk("remove", "before");
        Assert.Matches(@"^disk\tdisk-real\tmerging, \d+ sectors left\n$", daemon.UdmOk("snapshot", "ls"));
        daemon.UdmOk("snapshot", "merge", "disk");
        Assert.Equal(old, File.ReadAllBytes(daemon.FileOf("disk")));
        Assert.Contains("snapshot-origin", daemon.UdmOk("table", "disk"));
    }

    [Fact]
    public void What_cannot_be_is_refused_in_a_sentence_and_changes_nothing()
    {
        using RunningDaemon daemon = NewOrigin(out _);
        daemon.UdmOk("snapshot", "create", "disk", "small", $"file:{daemon.Folder}/small.cow?size=16K", "4K");
        Write(daemon, "disk", 0, 100_000); // the snapshot is full
        daemon.UdmOk("create", "fleeting", "--table", $"0 {Length / 512} snapshot {daemon.FileOf("disk-real")} file:{daemon.Folder}/n.cow?size=1M N 8");
        string tables = daemon.UdmOk("table");
        Refused("there is nothing to merge", "merge", "small");
        Refused("only persistent snapshots can be merged", "merge", "fleeting");
        Refused("it is no snapshot", "merge", "disk-real");
        Refused("writes to it would go past its snapshots", "create", "disk-real", "x", Cow(daemon, "x"));
        Refused("chunk size", "create", "disk", "x", Cow(daemon, "x"), "12K");
        Refused("is not a size", "create", "disk", "x", Cow(daemon, "x"), "much");
        Assert.Equal(tables, daemon.UdmOk("table"));
        Write(daemon, "disk", 0, 4096); // it is not left suspended

        void Refused(string sentence, params string[] words)
        {
            (int status, string output, string error) = daemon.Udm(["snapshot", .. words]);
            Assert.Contains(sentence, error);
            Assert.NotEqual(0, status);
            Assert.Equal("", output);
        }
    }

    private static RunningDaemon NewOrigin(out byte[] content)
    {
        RunningDaemon daemon = new();
        content = new byte[Length];
        new Random(1).NextBytes(content);
        string file = Path.Combine(daemon.Folder, "disk.img");
        File.WriteAllBytes(file, content);
        daemon.UdmOk("create", "disk-real", "--table", $"0 {Length / 512} linear {file} 0");
        daemon.UdmOk("create", "disk", "--table", $"0 {Length / 512} snapshot-origin {daemon.FileOf("disk-real")}");
        return daemon;
    }

    private static string Cow(RunningDaemon daemon, string name) => $"file:{daemon.Folder}/{name}.cow?size=4M";

    private static void Write(RunningDaemon daemon, string name, int at, int length)
    {
        using FileStream file = new(daemon.FileOf(name), FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 0);
        file.Position = at;
        byte[] data = new byte[length];
        new Random(2).NextBytes(data);
        file.Write(data);
    }
}
