using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

public sealed class SnapshotOriginTargetTests : DataTargetConformance
{
    protected override string Table => "0 1024 snapshot-origin o";

    protected override IEnumerable<string> BadTables => ["0 1024 snapshot-origin", "0 1024 snapshot-origin o 0"];

    protected override void AddDevices(TestRegistry registry) => registry.Add("o", 1024);

    protected override (string Device, ulong Sector)? Place(ulong sector) => ("o", sector);

    [Fact]
    public void One_write_over_many_chunks_of_several_snapshots_is_one_write_to_the_device()
    {
        using TestRegistry registry = NewRegistry();
        byte[] before = SnapshotTargetTests.Fill(registry["o"], 1);
        registry.Add("c", 4096);
        registry.Add("d", 4096);
        MappedDevice small = registry.Create("small", "0 1024 snapshot o c P 8");
        MappedDevice large = registry.Create("large", "0 512 snapshot o d N 32");
        MappedDevice origin = registry.Create("m", Table);
        registry["o"].Forget();
        Assert.Equal(BioStatus.Ok, TestBio.Write(origin, 4, SnapshotTargetTests.Noise(2, 1000)));
        Assert.Equal([new SeenBio(BioOperation.Write, 4, 1000, BioFlags.None)], registry["o"].Seen.Where(b => b.Operation == BioOperation.Write));
        Assert.Equal(before, TestBio.Read(small, 0, 1024));
        Assert.Equal(before[..(512 * 512)], TestBio.Read(large, 0, 512));
    }

    [Fact]
    public void Writes_go_on_while_a_snapshot_is_removed()
    {
        using TestRegistry registry = NewRegistry();
        using ShufflingThread later = new(1);
        registry.Add("c", 65536).Later = later;
        registry["o"].Later = later;
        MappedDevice origin = registry.Create("m", Table);
        bool over = false;
        Task user = Threads.Start(() =>
        {
            VerifiedIo io = new(origin, 0, 1024, 1);
            while (!Volatile.Read(ref over))
            {
                io.Step();
            }

            io.CheckAll();
        });
        for (int i = 0; i < 20; i++)
        {
            registry.Registry.Remove(registry.Create("s", "0 1024 snapshot o c N 8"));
        }

        Volatile.Write(ref over, true);
        Wait.For(user, "the user of the origin");
    }
}
