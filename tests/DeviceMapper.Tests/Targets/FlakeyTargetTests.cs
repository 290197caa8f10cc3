using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

public sealed class FlakeyTargetTests : DataTargetConformance
{
    protected override string Table => "0 1000 flakey a 24 1000000 0 2 error_reads error_writes";

    protected override IEnumerable<string> BadTables =>
    [
        "0 1000 flakey a 24 1",
        "0 1000 flakey a x 1 1",
        "0 1000 flakey a 24 0 0",
        "0 1000 flakey a 24 4294967295 1",
        "0 1000 flakey a 24 1 1 2 drop_writes error_writes",
        "0 1000 flakey a 24 1 1 1 nosuch",
        "0 1000 flakey a 24 1 1 6 drop_writes corrupt_bio_byte 1 w 0 0",
        "0 1000 flakey a 24 1 1 5 corrupt_bio_byte 0 r 0 0",
        "0 1000 flakey a 24 1 1 2 random_read_corrupt 1000000001",
    ];

    protected override void AddDevices(TestRegistry registry) => registry.Add("a", 1024);

    protected override (string Device, ulong Sector)? Place(ulong sector) => ("a", sector + 24);

    [Fact]
    public void It_is_up_then_down_in_turn_from_its_load_on()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", "0 8 flakey a 0 3 2");
        string seen = "";
        for (int second = 0; second < 12; second++)
        {
            seen += TestBio.Do(device, BioOperation.Read, 0, 1) == BioStatus.Ok ? 'u' : 'd';
            registry.Time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal("uuudduuudduu", seen);
    }

    [Fact]
    public void A_reload_starts_its_clock_again()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", "0 8 flakey a 0 3 2");
        registry.Time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(BioStatus.IoError, TestBio.Do(device, BioOperation.Read, 0, 1));
        TestRegistry.Swap(device, "0 8 flakey a 0 3 2");
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Read, 0, 1));
    }

    [Fact]
    public void Dropped_writes_and_flushes_succeed_and_do_nothing()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", "0 8 flakey a 0 0 9 1 drop_writes");
        registry["a"].Forget();
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 0, new byte[512]));
        Assert.Equal(BioStatus.Ok, TestBio.Flush(device));
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Discard, 0, 8));
        Assert.Empty(registry["a"].Seen);
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Read, 0, 1));
    }

    [Fact]
    public void A_corrupted_write_leaves_the_writers_memory_as_it_is()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", "0 8 flakey a 0 0 9 5 corrupt_bio_byte 600 w 7 0");
        byte[] data = new byte[1024];
        data.AsSpan().Fill(1);
        TestBio bio = TestBio.Submit(device, BioOperation.Write, 0, 2, data, pieces: [1, 1]);
        Assert.Equal(BioStatus.Ok, bio.Wait());
        Assert.Equal(data, bio.Data);
        byte[] below = registry["a"].Data[..1024];
        Assert.Equal(7, below[599]);
        below[599] = 1;
        Assert.Equal(data, below);
    }

    [Fact]
    public void Only_bios_with_all_flags_of_the_mask_are_corrupted()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", "0 8 flakey a 0 0 9 5 corrupt_bio_byte 1 w 7 131072"); // FUA's bit
        TestBio.Write(device, 0, new byte[512]);
        TestBio.Write(device, 1, new byte[512], BioFlags.Fua);
        Assert.Equal(0, registry["a"].Data[0]);
        Assert.Equal(7, registry["a"].Data[512]);
    }

    [Fact]
    public void Random_corruption_of_certain_probability_changes_one_byte_of_a_read()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", "0 64 flakey a 0 0 9 2 random_read_corrupt 1000000000");
        int changed = 0;
        for (int i = 0; i < 64; i++)
        {
            byte[] data = TestBio.Read(device, 0, 8);
            Assert.True(data.Count(b => b != 0) <= 1);
            changed += data.Count(b => b != 0);
        }

        Assert.True(changed > 0); // one in 256 of the random values is what was there
    }
}
