using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

public sealed class ThinTargetTests : DataTargetConformance
{
    private const string Pool = "0 4096 thin-pool m d 128 0";
    private const string Volume = "0 1024 thin /dev/mapper/pool 0";

    protected override string Table => Volume;

    protected override IEnumerable<string> BadTables =>
    [
        "0 1024 thin /dev/mapper/pool",
        "0 1024 thin /dev/mapper/pool x",
        "0 1024 thin /dev/mapper/pool 16777216",
        "0 1024 thin d 0",
        "0 1024 thin /dev/mapper/pool 0 /dev/mapper/pool",
    ];

    protected override string Printed(TestRegistry registry) => $"0 1024 thin {registry.Registry.FindByName("pool")!.Number} 0";

    protected override bool NeedsItsDevices => false; // the pool has them

    protected override bool KeepsFua => false; // a new block is filled first

    protected override IEnumerable<string> FlushReaches(TestRegistry registry) => ["d"];

    protected override void AddDevices(TestRegistry registry)
    {
        registry.Add("m", 4096);
        registry.Add("d", 4096);
        MappedDevice pool = registry.Create("pool", Pool);
        pool.Message(default, "create_thin 0");
    }

    protected override void AssertNothingLeft(TestRegistry registry) => Assert.Equal(0, registry.Registry.FindByName("pool")!.OpenCount);

    [Fact]
    public void What_was_never_written_reads_as_zeroes_and_takes_no_block()
    {
        using TestRegistry registry = NewRegistry();
        registry["d"].Data.AsSpan().Fill(0xaa);
        MappedDevice volume = registry.Create("t", Volume);
        Assert.True(TestBio.Read(volume, 0, 1024).AsSpan().IndexOfAnyExcept((byte)0) < 0);
        Assert.Equal("0 -", ThinPoolTargetTests.Status(volume));
        Assert.Equal(BioStatus.Ok, TestBio.Write(volume, 200, SnapshotTargetTests.Noise(1, 1)));
        Assert.Equal("128 255", ThinPoolTargetTests.Status(volume));
        byte[] block = TestBio.Read(volume, 128, 128);
        Assert.True(block.AsSpan(0, 72 * 512).IndexOfAnyExcept((byte)0) < 0); // the rest of the block is zeroed
        Assert.Equal(SnapshotTargetTests.Noise(1, 1), block[(72 * 512)..(73 * 512)]);
    }

    [Fact]
    public void A_write_of_a_whole_block_is_the_only_one()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice volume = registry.Create("t", Volume);
        registry["d"].Forget();
        Assert.Equal(BioStatus.Ok, TestBio.Write(volume, 128, SnapshotTargetTests.Noise(1, 128)));
        Assert.Equal([new SeenBio(BioOperation.Write, 0, 128, BioFlags.None)], registry["d"].Seen);
    }

    [Fact]
    public void Writes_to_one_new_block_wait_for_it_once_and_other_blocks_go_on()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice volume = registry.Create("t", Volume);
        registry["d"].Limits = registry["d"].Limits with { MaxWriteZeroes = default };
        registry["d"].Holding = true;
        TestBio[] same = [.. Enumerable.Range(0, 5).Select(i => TestBio.Submit(volume, BioOperation.Write, (ulong)i, 1))];
        TestBio other = TestBio.Submit(volume, BioOperation.Write, 500, 1);
        registry["d"].WaitForHeld(2);
        Assert.All([.. same, other], b => Assert.False(b.Ended));
        registry["d"].EndAll();
        Assert.All([.. same, other], b => Assert.Equal(BioStatus.Ok, b.Wait()));
    }

    [Fact]
    public void A_snapshot_shares_blocks_until_one_of_them_is_written()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice pool = registry.Registry.FindByName("pool")!;
        MappedDevice volume = registry.Create("t", Volume);
        byte[] before = SnapshotTargetTests.Noise(1, 1024);
        Assert.Equal(BioStatus.Ok, TestBio.Write(volume, 0, before));
        volume.Suspend();
        pool.Message(default, "create_snap 1 0");
        volume.Resume();
        MappedDevice snapshot = registry.Create("s", "0 1024 thin /dev/mapper/pool 1");
        Assert.Contains(" 8/32 ", ThinPoolTargetTests.Status(pool));
        Assert.Equal(before, TestBio.Read(snapshot, 0, 1024));
        Assert.Equal(BioStatus.Ok, TestBio.Write(volume, 100, SnapshotTargetTests.Noise(2, 60)));
        Assert.Contains(" 10/32 ", ThinPoolTargetTests.Status(pool));
        Assert.Equal(before, TestBio.Read(snapshot, 0, 1024));
        byte[] now = [.. before];
        SnapshotTargetTests.Noise(2, 60).CopyTo(now, 100 * 512);
        Assert.Equal(now, TestBio.Read(volume, 0, 1024));
        registry.Registry.Remove(snapshot);
        pool.Message(default, "delete 1");
        Assert.Contains(" 8/32 ", ThinPoolTargetTests.Status(pool));
    }

    [Fact]
    public void A_discard_gives_blocks_back_and_reads_zeroes()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice pool = registry.Registry.FindByName("pool")!;
        MappedDevice volume = registry.Create("t", Volume);
        Assert.Equal(BioStatus.Ok, TestBio.Write(volume, 0, SnapshotTargetTests.Noise(1, 1024)));
        registry["d"].Forget();
        Assert.Equal(BioStatus.Ok, TestBio.Do(volume, BioOperation.Discard, 100, 400));
        Assert.Equal("768 1023", ThinPoolTargetTests.Status(volume));
        Assert.Equal([new SeenBio(BioOperation.Discard, 128, 256, BioFlags.None)], registry["d"].Seen.Where(b => b.Operation == BioOperation.Discard));
        byte[] now = TestBio.Read(volume, 0, 1024);
        Assert.True(now.AsSpan(128 * 512, 256 * 512).IndexOfAnyExcept((byte)0) < 0);
        Assert.Equal(SnapshotTargetTests.Noise(1, 1024)[..(128 * 512)], now[..(128 * 512)]);
        Assert.Contains(" 6/32 ", ThinPoolTargetTests.Status(pool));
    }

    [Theory]
    [InlineData("", false)]
    [InlineData(" 1 error_if_no_space", true)]
    public void A_full_pool_fails_writes_or_has_them_wait(string features, bool fails)
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice pool = registry.Registry.FindByName("pool")!;
        registry.Registry.Remove(pool);
        registry["m"].Data.AsSpan().Clear();
        pool = registry.Create("pool", "0 512 thin-pool m d 128 1" + features);
        pool.Message(default, "create_thin 0");
        MappedDevice volume = registry.Create("t", Volume);
        uint events = pool.EventNumber;
        Assert.Equal(BioStatus.Ok, TestBio.Write(volume, 0, SnapshotTargetTests.Noise(1, 512)));
        Assert.Equal(events + 1, pool.EventNumber); // low water
        TestBio write = TestBio.Submit(volume, BioOperation.Write, 600, 1);
        TestBio mapped = TestBio.Submit(volume, BioOperation.Write, 0, 1);
        Assert.Equal(BioStatus.Ok, mapped.Wait());
        Wait.Until(() => ThinPoolTargetTests.Status(pool).Contains("out_of_data_space"), "the pool to be full");
        Assert.Equal(fails, write.Ended);
        TestRegistry.Swap(pool, "0 1024 thin-pool m d 128 1" + features);
        Assert.Equal(fails ? BioStatus.NoSpace : BioStatus.Ok, write.Wait());
        Assert.Contains(" rw ", ThinPoolTargetTests.Status(pool));
        Assert.Equal(BioStatus.Ok, TestBio.Do(volume, BioOperation.Write, 800, 1));
    }

    [Theory]
    [InlineData(60, 59, 1)]
    [InlineData(5, 4, 1)]
    [InlineData(0, 86400, null)]
    public void Writes_that_wait_for_space_fail_after_a_time_or_never(int timeout, int patience, int? more)
    {
        using TestRegistry registry = new(noSpaceTimeout: TimeSpan.FromSeconds(timeout));
        AddDevices(registry);
        MappedDevice pool = registry.Registry.FindByName("pool")!;
        MappedDevice volume = registry.Create("t", "0 8192 thin /dev/mapper/pool 0");
        Assert.Equal(BioStatus.Ok, TestBio.Write(volume, 0, new byte[4096 * 512]));
        TestBio write = TestBio.Submit(volume, BioOperation.Write, 5000, 1);
        Wait.Until(() => ThinPoolTargetTests.Status(pool).Contains("out_of_data_space"), "the pool to be full");
        registry.Time.Advance(TimeSpan.FromSeconds(patience));
        pool.Message(default, "create_thin 1"); // the pool's thread has seen the time
        Assert.False(write.Ended);
        Assert.Contains("queue_if_no_space", ThinPoolTargetTests.Status(pool));
        if (more is null)
        {
            Assert.Equal(BioStatus.Ok, TestBio.Do(volume, BioOperation.Discard, 0, 128));
            Assert.Equal(BioStatus.Ok, write.Wait());
            return;
        }

        registry.Time.Advance(TimeSpan.FromSeconds(more.Value));
        Assert.Equal(BioStatus.NoSpace, write.Wait());
        Assert.Contains("error_if_no_space", ThinPoolTargetTests.Status(pool));
    }

    [Fact]
    public void A_suspend_without_flush_takes_writes_back_that_wait_for_space()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice pool = registry.Registry.FindByName("pool")!;
        MappedDevice volume = registry.Create("t", "0 8192 thin /dev/mapper/pool 0");
        Assert.Equal(BioStatus.Ok, TestBio.Write(volume, 0, new byte[4096 * 512]));
        TestBio write = TestBio.Submit(volume, BioOperation.Write, 5000, 1);
        Wait.Until(() => ThinPoolTargetTests.Status(pool).Contains("out_of_data_space"), "the pool to be full");
        volume.Suspend(SuspendOptions.NoFlush);
        Assert.Equal(1, volume.Parked);
        volume.LoadTable("0 8192 error");
        volume.Resume();
        Assert.Equal(BioStatus.IoError, write.Wait());
    }

    [Fact]
    public void A_suspended_pool_keeps_the_bios_of_its_volumes()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice pool = registry.Registry.FindByName("pool")!;
        MappedDevice volume = registry.Create("t", Volume);
        Assert.Equal(BioStatus.Ok, TestBio.Do(volume, BioOperation.Write, 0, 128));
        pool.Suspend();
        registry["d"].Forget();
        TestBio[] bios = [TestBio.Submit(volume, BioOperation.Read, 0, 8), TestBio.Submit(volume, BioOperation.Write, 512, 8), TestBio.Submit(volume, BioOperation.Flush, 0, 0)];
        Assert.Throws<DmException>(() => registry.Create("u", "0 8 thin /dev/mapper/pool 0"));
        Assert.All(bios, b => Assert.False(b.Ended));
        Assert.Empty(registry["d"].Seen);
        pool.Resume();
        Assert.All(bios, b => Assert.Equal(BioStatus.Ok, b.Wait()));
    }

    [Fact]
    public void Removal_does_not_wait_for_a_pool_that_is_suspended()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice volume = registry.Create("t", Volume);
        registry.Registry.FindByName("pool")!.Suspend();
        TestBio bio = TestBio.Submit(volume, BioOperation.Write, 0, 8);
        registry.Registry.Remove(volume);
        Assert.Equal(BioStatus.IoError, bio.Wait());
    }

    [Fact]
    public void An_external_origin_is_read_and_never_written()
    {
        using TestRegistry registry = NewRegistry();
        byte[] origin = SnapshotTargetTests.Fill(registry.Add("o", 200), 1);
        MappedDevice volume = registry.Create("t", "0 1024 thin /dev/mapper/pool 0 o");
        byte[] model = [.. origin, .. new byte[824 * 512]];
        Assert.Equal(model, TestBio.Read(volume, 0, 1024));
        byte[] data = SnapshotTargetTests.Noise(2, 20);
        foreach (int at in new[] { 10, 190, 120, 700 })
        {
            Assert.Equal(BioStatus.Ok, TestBio.Write(volume, (ulong)at, data));
            data.CopyTo(model, at * 512);
        }

        Assert.Equal(model, TestBio.Read(volume, 0, 1024));
        Assert.Equal(origin, registry["o"].Data);
    }

    [Theory]
    [InlineData(0, 1024, 128, true)]
    [InlineData(130, 600, 254, false)]
    [InlineData(300, 20, 20, false)]
    [InlineData(384, 1, 1, true)]
    [InlineData(384, 640, 256, true)]
    [InlineData(645, 100, 100, false)]
    [InlineData(896, 128, 128, true)]
    public void What_is_not_mapped_is_a_hole(ulong start, ulong length, ulong known, bool hole)
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice volume = registry.Create("t", Volume);
        foreach (ulong at in new ulong[] { 128, 256, 640, 768 })
        {
            Assert.Equal(BioStatus.Ok, TestBio.Do(volume, BioOperation.Write, at, 8));
        }

        Assert.Equal((new SectorCount(known), hole), volume.ExtentAt(new Sector(start), new SectorCount(length)));
    }

    [Fact]
    public void What_an_external_origin_has_is_no_hole()
    {
        using TestRegistry registry = NewRegistry();
        registry.Add("o", 200);
        MappedDevice volume = registry.Create("t", "0 1024 thin /dev/mapper/pool 0 o");
        Assert.Equal((new SectorCount(200), false), volume.ExtentAt(default, new SectorCount(1024)));
        Assert.Equal((new SectorCount(824), true), volume.ExtentAt(new Sector(200), new SectorCount(824)));
    }

    [Fact]
    public void A_block_that_could_not_be_filled_stays_taken_and_is_not_mapped_as_in_the_kernel()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice pool = registry.Registry.FindByName("pool")!;
        MappedDevice volume = registry.Create("t", Volume);
        registry["d"].Answer = b => b.IsWrite ? BioStatus.Medium : BioStatus.Ok;
        Assert.Equal(BioStatus.IoError, TestBio.Do(volume, BioOperation.Write, 3, 1));
        Assert.Equal(BioStatus.IoError, TestBio.Do(volume, BioOperation.Write, 128, 128));
        registry["d"].Answer = null;
        Assert.Contains(" 2/32 ", ThinPoolTargetTests.Status(pool));
        Assert.Equal("0 -", ThinPoolTargetTests.Status(volume));
        Assert.Equal(BioStatus.Ok, TestBio.Do(volume, BioOperation.Write, 3, 1));
    }

    [Fact]
    public void A_flush_makes_new_blocks_durable()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice volume = registry.Create("t", Volume);
        byte[] data = SnapshotTargetTests.Noise(1, 200);
        Assert.Equal(BioStatus.Ok, TestBio.Write(volume, 50, data));
        Assert.Equal(BioStatus.Ok, TestBio.Flush(volume));
        using TestRegistry after = new();
        registry["m"].Data.CopyTo(after.Add("m", 4096).Data, 0);
        registry["d"].Data.CopyTo(after.Add("d", 4096).Data, 0);
        after.Create("pool", Pool);
        Assert.Equal(data, TestBio.Read(after.Create("t", Volume), 50, 200));
    }
}
