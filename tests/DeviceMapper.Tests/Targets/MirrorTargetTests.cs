using System.Buffers.Binary;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Targets.Mirror;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

public sealed class MirrorTargetTests : DataTargetConformance
{
    protected override string Table => "0 1000 mirror core 2 64 nosync 2 a 24 b 8";

    protected override IEnumerable<string> BadTables =>
    [
        "0 1000 mirror", "0 1000 mirror core 1 64", "0 1000 mirror core 2 64 2 a 0 b 0", "0 1000 mirror core 1 48 2 a 0 b 0", "0 1000 mirror core 1 1024 2 a 0 b 0",
        "0 1000 mirror core 1 64 1 a 0", "0 1000 mirror core 1 64 2 a 0 b", "0 1000 mirror core 1 64 2 a 0 b x", "0 1000 mirror core 1 64 2 a 0 b 0 1 keep_log",
        "0 1000 mirror core 1 64 2 a 0 b 0 x", "0 1000 mirror userspace 2 uuid 64 2 a 0 b 0", "0 1000 mirror disk 1 64 2 a 0 b 0", "0 1000 mirror disk 2 nobody 64 2 a 0 b 0",
        "0 1000 mirror core 1 64 2 a 100 b 0",
    ];

    protected override void AddDevices(TestRegistry registry)
    {
        registry.Add("a");
        registry.Add("b");
    }

    protected override (string Device, ulong Sector)? Place(ulong sector) => sector % 2 == 0 ? ("a", 24 + sector) : ("b", 8 + sector);

    protected override BioStatus ErrorFor(BioStatus below) => BioStatus.IoError; // of the second leg, which the kernel does not tell

    [Theory]
    [InlineData("core 1 48 2 a 0 b 0", "argument 3 (region size): '48' is not a power of two from 2 to the target's length, 1000")]
    [InlineData("core 2 64 maybe 2 a 0 b 0", "argument 4 (log's state): 'maybe' is neither sync nor nosync")]
    [InlineData("core 9 64 2 a 0 b 0", "argument 2 (number of log words): '9' is more than the 6 words that follow")]
    [InlineData("userspace 2 u 64 2 a 0 b 0", "argument 1 (log type): 'userspace' is a log that a cluster's daemon keeps, which is not known here: core or disk expected")]
    [InlineData("core 1 64 10 a 0 b 0", "argument 4 (number of legs): '10' is not a number from 2 to 9")]
    [InlineData("core 1 64 2 a 0 b 0 1 keep_log", "the feature keep_log needs handle_errors beside it")]
    [InlineData("core 1 64 2 a 0 b 0 1 handle_errors x", "argument 11 (word): 'x' is one too many")]
    [InlineData("disk 2 b 2 2 a 0 a 0", "argument 3 (log device): 'b' is too small for a log of 500 regions, which needs 1536 bytes")]
    public void A_refusal_says_what_is_wrong(string arguments, string sentence)
    {
        using TestRegistry registry = new();
        registry.Add("a");
        registry.Add("b", 2);
        DmException refusal = Assert.Throws<DmException>(() => registry.Registry.Create("m").LoadTable($"0 1000 mirror {arguments}"));
        Assert.Equal((Errno.EINVAL, $"mirror: {sentence}"), (refusal.Errno, refusal.Message));
    }

    [Theory]
    [InlineData("core 2 16", 1)]
    [InlineData("core 2 512", 2)]
    [InlineData("disk 3 l 16", 3)]
    [InlineData("disk 3 l 64", 4)]
    public void Copies_under_concurrent_writes_end_with_equal_legs(string log, int seed)
    {
        using TestRegistry registry = NewRegistry();
        using ShufflingThread later = new(seed);
        registry.Add("c");
        registry.Add("l", 16);
        foreach (FakeDevice device in registry.Devices)
        {
            Random random = new(seed + device.Name[0]);
            random.NextBytes(device.Data);
            device.Later = later;
            device.Recording = false;
        }

        string table = $"0 1000 mirror {log} sync 3 a 0 b 24 c 8";
        MappedDevice m = registry.Create("m", table);
        for (int round = 0; round < 6; round++)
        {
            TestRegistry.Swap(m, table); // copies all anew
            int left = 4;
            Threads.Run(5, u =>
            {
                for (; u == 4 && Volatile.Read(ref left) > 0; Thread.Yield())
                {
                    registry.Time.Advance(MirrorWorker.CleanAfter);
                    m.Suspend(SuspendOptions.NoFlush);
                    m.Resume();
                }

                if (u < 4)
                {
                    VerifiedIo io = new(m, (ulong)u * 250, 250, (10 * round) + u) { Discards = false, Largest = 12 };
                    for (int i = 0; i < 40; i++)
                    {
                        io.Step();
                    }

                    io.CheckAll();
                    Interlocked.Decrement(ref left);
                }
            });
            AwaitSync(m);
            AssertEqual(registry, ("a", 0), ("b", 24), ("c", 8));
        }
    }

    [Fact]
    public void Writes_to_what_is_not_copied_yet_go_to_the_default_leg_and_those_to_what_is_being_copied_wait()
    {
        using TestRegistry registry = NewRegistry();
        FakeDevice b = registry["b"];
        registry["a"].Data.AsSpan().Fill(7);
        b.Holding = true;
        MappedDevice m = registry.Create("m", "0 1000 mirror core 1 64 2 a 0 b 0");
        b.WaitForHeld(1);
        TestBio waits = TestBio.Submit(m, BioOperation.Write, 8, 8, new byte[4096]);
        Assert.Equal(BioStatus.Ok, TestBio.Write(m, 640, new byte[4096]));
        Assert.Equal(0, registry["a"].Data[640 * 512]);
        Assert.False(waits.Ended);
        Assert.Equal(7, TestBio.Read(m, 8, 1)[0]);
        Assert.Equal("2 a b 0/16 1 AA 1 core", Status(m));
        b.EndAll();
        Assert.Equal(BioStatus.Ok, waits.Wait());
        AwaitSync(m);
        AssertEqual(registry, ("a", 0), ("b", 0));
        Assert.Equal(0, b.Data[8 * 512]);
        Assert.Equal(7, b.Data[16 * 512]);
    }

    [Fact]
    public void A_suspend_finishes_the_region_that_is_copied_and_the_resume_goes_on()
    {
        using TestRegistry registry = NewRegistry();
        FakeDevice b = registry["b"];
        b.Holding = true;
        MappedDevice m = registry.Create("m", "0 1000 mirror core 1 64 2 a 0 b 0");
        b.WaitForHeld(1);
        Task suspend = Threads.Start(() => m.Suspend());
        b.EndAll();
        Wait.For(suspend, "the suspend");
        int copied = int.Parse(Status(m).Split(' ')[3].Split('/')[0]);
        Assert.InRange(copied, 1, 16);
        b.Forget();
        m.Resume();
        AwaitSync(m);
        Assert.Equal(16 - copied, b.Seen.Count(s => s.Operation == BioOperation.Write));
    }

    [Fact]
    public void A_write_that_fails_on_a_leg_waits_for_a_new_table_where_errors_are_handled()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice m = registry.Create("m", "0 1000 mirror core 2 64 nosync 2 a 0 b 0 1 handle_errors");
        registry["b"].Answer = _ => BioStatus.Medium;
        TestBio write = TestBio.Submit(m, BioOperation.Write, 100, 8, new byte[4096]);
        Wait.Until(() => Status(m) == "2 a b 15/16 1 AD 1 core", "the failure to be seen");
        Assert.Equal(1u, m.EventNumber);
        Assert.Contains(registry.Log.Lines, l => l.Contains("m: mirror: a write failed on leg b"));
        TestBio another = TestBio.Submit(m, BioOperation.Write, 100, 8, new byte[4096]);
        Assert.Equal(BioStatus.Ok, TestBio.Do(m, BioOperation.Read, 100, 8));
        Assert.False(write.Ended || another.Ended);
        m.Suspend(SuspendOptions.NoFlush);
        Assert.False(write.Ended || another.Ended);
        TestRegistry.Swap(m, "0 1000 linear a 0");
        Assert.Equal(BioStatus.Ok, write.Wait());
        Assert.Equal(BioStatus.Ok, another.Wait());
    }

    [Fact]
    public void A_write_that_waits_fails_where_the_device_is_suspended_with_flush()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice m = registry.Create("m", "0 1000 mirror core 2 64 nosync 2 a 0 b 0 1 handle_errors");
        registry["b"].Answer = _ => BioStatus.Medium;
        TestBio write = TestBio.Submit(m, BioOperation.Write, 100, 8, new byte[4096]);
        Wait.Until(() => Status(m).Contains(" AD "), "the failure to be seen");
        m.Suspend();
        Assert.Equal(BioStatus.IoError, write.Wait());
        registry["b"].Answer = null;
        m.Resume();
        AwaitSync(m);
        AssertEqual(registry, ("a", 0), ("b", 0));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" 2 handle_errors keep_log")]
    public void Otherwise_it_is_done_and_the_region_is_copied_after_the_next_resume(string features)
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice m = registry.Create("m", $"0 1000 mirror core 2 64 nosync 2 a 0 b 0{features}");
        registry["a"].Data.AsSpan().Fill(7);
        registry["b"].Answer = _ => BioStatus.Medium;
        Assert.Equal(BioStatus.Ok, TestBio.Write(m, 100, new byte[4096]));
        Assert.Equal("2 a b 15/16 1 AD 1 core", Status(m));
        registry["b"].Answer = null;
        Assert.Equal(BioStatus.Ok, TestBio.Write(m, 110, new byte[4096])); // to the default leg alone
        Assert.DoesNotContain(registry["b"].Seen, s => s.Sector == 110);
        m.Suspend();
        m.Resume();
        AwaitSync(m);
        Assert.True(registry["b"].Sectors(64, 64).SequenceEqual(registry["a"].Sectors(64, 64)));
        Assert.Equal(0, registry["b"].Data[128 * 512]); // the rest was said to be in sync
    }

    [Fact]
    public void Reads_go_to_another_leg_when_one_fails()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice m = registry.Create("m", "0 1000 mirror core 2 64 nosync 2 a 0 b 0");
        registry["b"].Data.AsSpan().Fill(7);
        registry["a"].Answer = _ => BioStatus.Medium;
        Assert.Equal(7, TestBio.Read(m, 100, 8)[0]);
        Assert.Equal("2 a b 16/16 1 RA 1 core", Status(m));
        registry["a"].Forget();
        Assert.Equal(7, TestBio.Read(m, 0, 1000)[0]);
        Assert.Empty(registry["a"].Seen);
        registry["b"].Answer = _ => BioStatus.Medium;
        Assert.Equal(BioStatus.Medium, TestBio.Do(m, BioOperation.Read, 100, 8)); // not tried elsewhere before
        Assert.Equal("2 a b 16/16 1 RR 1 core", Status(m));
        Assert.Equal(BioStatus.IoError, TestBio.Do(m, BioOperation.Read, 100, 8));
    }

    [Fact]
    public void The_log_has_a_region_marked_before_it_is_written_to_and_clean_when_it_rests()
    {
        using TestRegistry registry = NewRegistry();
        FakeDevice l = registry.Add("l", 16), a = registry["a"];
        MappedDevice m = registry.Create("m", "0 1000 mirror disk 2 l 64 2 a 0 b 0");
        AwaitSync(m);
        Assert.Equal(0x4D695272u, BinaryPrimitives.ReadUInt32LittleEndian(l.Data));
        Assert.Equal((2u, 16ul), (BinaryPrimitives.ReadUInt32LittleEndian(l.Data.AsSpan(4)), BinaryPrimitives.ReadUInt64LittleEndian(l.Data.AsSpan(8))));
        m.Suspend();
        Assert.Equal(0xFFFFul, Bits(l));
        m.Resume();
        l.Forget();
        a.Holding = true;
        TestBio write = TestBio.Submit(m, BioOperation.Write, 100, 8, new byte[4096]);
        a.WaitForHeld(1);
        Assert.Equal(0xFFFDul, Bits(l));
        Assert.Equal([BioOperation.Write, BioOperation.Flush], l.Seen.Select(s => s.Operation));
        a.EndAll();
        Assert.Equal(BioStatus.Ok, write.Wait());
        Assert.Equal(BioStatus.Ok, TestBio.Write(m, 100, new byte[4096]));
        Assert.Equal(2, l.Seen.Count); // it was marked
        a.Forget();
        registry["b"].Forget();
        Wait.Until(
            () =>
            {
                registry.Time.Advance(MirrorWorker.CleanAfter);
                return Bits(l) == 0xFFFF;
            },
            "the region to be clean");
        Assert.Contains(a.Seen, s => s.Operation == BioOperation.Flush); // before
        Assert.Contains(registry["b"].Seen, s => s.Operation == BioOperation.Flush);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void After_a_crash_the_legs_are_made_equal_from_the_log_and_hold_what_was_written(int seed)
    {
        using TestRegistry registry = NewRegistry();
        using ShufflingThread later = new(seed);
        registry.Add("l", 16);
        const string Table = "0 1000 mirror disk 2 l 16 2 a 0 b 0";
        MappedDevice m = registry.Create("m", Table);
        AwaitSync(m);
        bool cut = false;
        int left = 300 * seed;
        foreach (FakeDevice device in registry.Devices)
        {
            device.Later = later;
            device.Answer = b =>
            {
                cut |= Interlocked.Decrement(ref left) == 0; // the machine goes down: nothing reaches any device
                return Volatile.Read(ref cut) ? BioStatus.IoError : BioStatus.Ok;
            };
        }

        byte[] model = new byte[1000]; // the first byte of each sector
        bool[] unsure = new bool[1000]; // a write that did not end before the crash
        Threads.Run(4, u =>
        {
            Random random = new((10 * seed) + u);
            while (!Volatile.Read(ref cut))
            {
                int at = (250 * u) + random.Next(250);
                byte value = (byte)random.Next(256);
                byte[] data = new byte[512];
                data.AsSpan().Fill(value);
                BioStatus status = TestBio.Write(m, (ulong)at, data);
                unsure[at] |= status != BioStatus.Ok || Volatile.Read(ref cut);
                model[at] = unsure[at] ? model[at] : value;
                if (random.Next(20) == 0)
                {
                    registry.Time.Advance(MirrorWorker.CleanAfter);
                }
            }
        });
        registry.Registry.Remove(m);
        foreach (FakeDevice device in registry.Devices)
        {
            device.Answer = null;
            device.Later = null;
        }

        m = registry.Create("m", Table);
        AwaitSync(m);
        AssertEqual(registry, ("a", 0), ("b", 0));
        for (int sector = 0; sector < 1000; sector++)
        {
            Assert.True(unsure[sector] || registry["a"].Data[sector * 512] == model[sector], $"sector {sector} is not what was written");
        }
    }

    [Fact]
    public void Reads_and_writes_allocate_nothing()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice m = registry.Create("m", Table);
        registry["a"].Recording = registry["b"].Recording = false;
        Repeated read = new(m, BioOperation.Read), write = new(m, BioOperation.Write);
        Assert.Equal(0, Allocations.LeastOfRounds(() => read.Repeat(1000)));
        Assert.Equal(0, Allocations.LeastOfRounds(() => write.Repeat(1000)));
    }

    private static string Status(MappedDevice device) => device.TableTexts(arguments: false).Single().Text;

    private static ulong Bits(FakeDevice log) => BinaryPrimitives.ReadUInt64LittleEndian(log.Data.AsSpan(1024));

    private static void AwaitSync(MappedDevice device) => Wait.Until(
        () =>
        {
            string[] counts = Status(device).Split(' ').First(w => w.Contains('/')).Split('/');
            return counts[0] == counts[1];
        },
        "all regions to be copied");

    private static void AssertEqual(TestRegistry registry, params (string Leg, ulong Offset)[] legs)
    {
        foreach ((string leg, ulong offset) in legs[1..])
        {
            Assert.True(registry[leg].Sectors(offset, 1000).SequenceEqual(registry[legs[0].Leg].Sectors(legs[0].Offset, 1000)), $"{leg} is not equal to {legs[0].Leg}");
        }
    }

    /// <summary>The same I/O again and again, without anything new.</summary>
    private sealed class Repeated(MappedDevice device, BioOperation operation) : IBioCompletion
    {
        private readonly byte[] _memory = GC.AllocateArray<byte>(4096, pinned: true);
        private int _ended;

        public void Repeat(int count)
        {
            _ended = 0;
            for (int i = 0; i < count; i++)
            {
                Bio bio = Bio.Rent();
                bio.Device = device;
                bio.Operation = operation;
                bio.Sector = new Sector((ulong)(i % 100) * 8);
                bio.Count = new SectorCount(8);
                bio.Buffer = TestBio.BufferOf(_memory);
                bio.Submit(this);
            }

            Assert.True(_ended == count); // an Equal allocates
        }

        public void BioEnded(Bio bio)
        {
            _ended += bio.Status == BioStatus.Ok ? 1 : 0;
            bio.Return();
        }
    }
}

/// <summary>The conformance of a mirror with a log on a device.</summary>
public sealed class MirrorDiskLogTests : DataTargetConformance
{
    protected override string Table => "0 1000 mirror disk 3 l 64 nosync 3 a 24 b 8 c 0";

    protected override IEnumerable<string> BadTables => ["0 1000 mirror disk 3 l 64 2 a 0 b 0", "0 1000 mirror disk 2 c 64 2 a 0 b", "0 4096 mirror disk 2 l 64 2 a 0 b 0"];

    protected override bool NeedsItsDevices => false; // the log's device gives EINVAL whatever it fails with, as the kernel's

    protected override void AddDevices(TestRegistry registry)
    {
        registry.Add("a");
        registry.Add("b");
        registry.Add("c");
        registry.Add("l", 16);
    }

    protected override IEnumerable<string> FlushReaches(TestRegistry registry) => ["a", "b", "c"];

    protected override (string Device, ulong Sector)? Place(ulong sector) => (sector % 3) switch { 0 => ("a", 24 + sector), 1 => ("b", 8 + sector), _ => ("c", sector) };

    protected override BioStatus ErrorFor(BioStatus below) => BioStatus.IoError;
}
