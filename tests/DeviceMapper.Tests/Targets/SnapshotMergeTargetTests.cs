using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

public sealed class SnapshotMergeTargetTests : DataTargetConformance
{
    private const string Merge = "0 1024 snapshot-merge o c P 8";

    protected override string Table => Merge;

    protected override IEnumerable<string> BadTables => ["0 1024 snapshot-merge o c P", "0 1024 snapshot-merge o o P 8"];

    protected override bool PassesErrors => false; // an error stops the merge

    protected override bool Reloads => false; // as in the kernel: another snapshot of the origin is being merged, its own

    protected override void AddDevices(TestRegistry registry)
    {
        registry.Add("o", 1024);
        registry.Add("c", 2048);
    }

    [Fact]
    public void The_origin_becomes_what_the_snapshot_was()
    {
        using TestRegistry registry = NewRegistry();
        byte[] model = SnapshotTargetTests.Fill(registry["o"], 1);
        MappedDevice snapshot = registry.Create("m", "0 1024 snapshot o c P 8");
        byte[] data = SnapshotTargetTests.Noise(2, 300);
        Assert.Equal(BioStatus.Ok, TestBio.Write(snapshot, 100, data));
        data.CopyTo(model, 100 * 512);
        snapshot.LoadTable(Merge);
        snapshot.Resume();
        Wait.Until(() => snapshot.TableTexts(false)[0].Text == "16/2048 16", "the merge");
        Assert.Equal(model, registry["o"].Data);
        Assert.Equal(model, TestBio.Read(snapshot, 0, 1024));
    }

    [Fact]
    public void Reads_and_writes_go_on_during_a_merge_and_other_snapshots_keep_what_was()
    {
        using TestRegistry registry = NewRegistry();
        using ShufflingThread later = new(1);
        byte[] before = SnapshotTargetTests.Fill(registry["o"], 1);
        registry.Add("d", 4096).Later = later;
        MappedDevice other = registry.Create("other", "0 1024 snapshot o d P 16");
        MappedDevice snapshot = registry.Create("m", "0 1024 snapshot o c P 8");
        Assert.Equal(BioStatus.Ok, TestBio.Write(snapshot, 0, SnapshotTargetTests.Noise(2, 900)));
        registry["o"].Later = registry["c"].Later = later;
        VerifiedIo io = new(snapshot, 0, 1024, 3);
        snapshot.LoadTable(Merge);
        snapshot.Resume();
        do
        {
            io.Step();
        }
        while (snapshot.TableTexts(false)[0].Text != "16/2048 16");

        io.CheckAll();
        Assert.Equal(TestBio.Read(snapshot, 0, 1024), registry["o"].Data);
        Assert.Equal(before, TestBio.Read(other, 0, 1024));
    }

    [Fact]
    public void A_merge_that_was_cut_short_goes_on_from_the_COW_device()
    {
        using TestRegistry registry = NewRegistry();
        byte[] model = SnapshotTargetTests.Fill(registry["o"], 1);
        MappedDevice snapshot = registry.Create("m", "0 1024 snapshot o c P 8");
        for (ulong at = 0; at < 160; at += 16)
        {
            byte[] data = SnapshotTargetTests.Noise((int)at, 8);
            Assert.Equal(BioStatus.Ok, TestBio.Write(snapshot, at, data));
            data.CopyTo(model, (int)at * 512);
        }

        int flushes = 0;
        registry["o"].Answer = b => b.Operation == BioOperation.Flush && ++flushes > 4 ? BioStatus.IoError : BioStatus.Ok;
        snapshot.LoadTable(Merge);
        snapshot.Resume();
        Wait.Until(() => snapshot.TableTexts(false)[0].Text == "Merge failed", "the merge to fail");
        Assert.Equal(model, TestBio.Read(snapshot, 0, 1024));
        registry["o"].Answer = null;
        registry.Registry.Remove(snapshot);
        snapshot = registry.Create("m", Merge);
        Wait.Until(() => snapshot.TableTexts(false)[0].Text == "16/2048 16", "the merge");
        Assert.Equal(model, registry["o"].Data);
    }

    [Fact]
    public void Only_one_snapshot_of_an_origin_is_merged_at_a_time()
    {
        using TestRegistry registry = NewRegistry();
        registry.Add("d", 2048);
        registry.Create("one", Merge);
        MappedDevice two = registry.Create("two", "0 1024 snapshot o d P 8");
        DmException refusal = Assert.Throws<DmException>(() => two.LoadTable("0 1024 snapshot-merge o d P 8"));
        AssertIsSentence(refusal, Merge);
    }
}
