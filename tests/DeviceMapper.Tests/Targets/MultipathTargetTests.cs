using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

public sealed class MultipathTargetTests : DataTargetConformance
{
    private const string Queueing = "0 1000 multipath 1 queue_if_no_path 0 1 1 round-robin 0 2 1 a 1 b 1";

    protected override string Table => "0 1000 multipath 1 queue_if_no_path 0 2 1 service-time 0 2 2 a 1 1 b 1 1 round-robin 0 1 1 c 1";

    protected override IEnumerable<string> BadTables =>
    [
        "0 1000 multipath",
        "0 1000 multipath 1 nosuch 0 1 1 round-robin 0 1 0 a",
        "0 1000 multipath 2 pg_init_retries 51 0 1 1 round-robin 0 1 0 a",
        "0 1000 multipath 0 0 1 0 round-robin 0 1 0 a",
        "0 1000 multipath 0 0 2 1 round-robin 0 1 0 a",
        "0 1000 multipath 0 0 1 1 nosuch 0 1 0 a",
        "0 1000 multipath 0 0 1 1 round-robin 0 2 0 a",
        "0 1000 multipath 0 0 1 1 round-robin 0 1 1 a x",
        "0 1000 multipath 0 0 1 1 service-time 0 1 2 a 1 101",
        "0 1000 multipath 0 0 1 1 historical-service-time 1 1024 1 0 a",
        "0 1000 multipath 0 0 1 1 io-affinity 0 1 0 a",
        "0 1000 multipath 0 0 1 1 io-affinity 0 1 1 a g",
        "0 1000 multipath 0 0 1 1 io-affinity 0 2 1 a 1 b 1",
    ];

    protected override void AddDevices(TestRegistry registry)
    {
        FakeDevice disk = registry.Add("a");
        registry.Add(new FakeDevice("b", disk));
        registry.Add(new FakeDevice("c", disk));
    }

    protected override IEnumerable<string> FlushReaches(TestRegistry registry) => ["a"];

    protected override bool PassesErrors => false; // some make it look for another path: tested below

    protected override (string Device, ulong Sector)? Place(ulong sector) => ("a", sector);

    [Fact]
    public void Paths_take_turns()
    {
        using TestRegistry registry = TwoPaths();
        MappedDevice device = registry.Create("m", Queueing);
        for (int i = 0; i < 6; i++)
        {
            TestBio.Do(device, BioOperation.Read, 0, 1);
        }

        Assert.Equal(3, registry["a"].Seen.Count);
        Assert.Equal(3, registry["b"].Seen.Count);
    }

    [Theory]
    [InlineData(BioStatus.IoError)]
    [InlineData(BioStatus.Transport)]
    [InlineData(BioStatus.Timeout)]
    public void An_error_that_another_path_may_not_have_fails_the_path_and_the_bio_goes_to_another(BioStatus error)
    {
        using TestRegistry registry = TwoPaths();
        MappedDevice device = registry.Create("m", Queueing);
        registry["a"].Answer = _ => error;
        byte[] data = [.. Enumerable.Repeat((byte)7, 512)];
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 5, data));
        Assert.Equal(data, registry["b"].Sectors(5, 1).ToArray());
        Assert.Equal("2 0 0 0 1 1 A 0 2 0 a F 1 b A 0 ", Status(device));
        Assert.Equal(1u, device.EventNumber);
        Assert.Contains(registry.Log.Lines, l => l.StartsWith("Warning: m: path a failed: an I/O ended with ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(BioStatus.Medium)]
    [InlineData(BioStatus.Protection)]
    [InlineData(BioStatus.NoSpace)]
    [InlineData(BioStatus.Invalid)]
    [InlineData(BioStatus.Unsupported)]
    public void An_answer_of_the_device_itself_leaves_the_path_alone(BioStatus error)
    {
        using TestRegistry registry = TwoPaths();
        MappedDevice device = registry.Create("m", Queueing);
        registry["a"].Answer = _ => error;
        Assert.Equal(error, TestBio.Do(device, BioOperation.Read, 0, 1));
        Assert.Equal("2 0 0 0 1 1 A 0 2 0 a A 0 b A 0 ", Status(device));
        Assert.Empty(registry["b"].Seen);
    }

    [Fact]
    public void Without_a_path_and_without_queueing_io_fails()
    {
        using TestRegistry registry = TwoPaths();
        MappedDevice device = registry.Create("m", Queueing.Replace("1 queue_if_no_path", "0"));
        FailAll(device);
        Assert.Equal(BioStatus.IoError, TestBio.Do(device, BioOperation.Read, 0, 1));
        device.Message(default, "reinstate_path b");
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Read, 0, 1));
    }

    [Fact]
    public void Without_a_path_io_waits_and_goes_on_in_order()
    {
        using TestRegistry registry = TwoPaths();
        MappedDevice device = registry.Create("m", Queueing);
        FailAll(device);
        TestBio[] bios = [.. Enumerable.Range(0, 20).Select(i => TestBio.Submit(device, BioOperation.Write, (ulong)i, 1))];
        Assert.All(bios, b => Assert.False(b.Ended));
        device.Message(default, "reinstate_path a");
        Assert.All(bios, b => Assert.Equal(BioStatus.Ok, b.Wait()));
        Assert.Equal(Enumerable.Range(0, 20).Select(i => (ulong)i), registry["a"].Seen.Select(s => s.Sector));
    }

    [Fact]
    public void A_bio_that_may_not_wait_is_told_so()
    {
        using TestRegistry registry = TwoPaths();
        MappedDevice device = registry.Create("m", Queueing);
        FailAll(device);
        Assert.Equal(BioStatus.Again, TestBio.Do(device, BioOperation.Read, 0, 1, BioFlags.NoWait));
    }

    [Fact]
    public void Io_whose_last_path_fails_under_it_waits_too()
    {
        using TestRegistry registry = TwoPaths();
        MappedDevice device = registry.Create("m", Queueing);
        foreach (FakeDevice path in registry.Devices)
        {
            path.Answer = _ => BioStatus.IoError;
        }

        TestBio bio = TestBio.Submit(device, BioOperation.Read, 0, 1);
        Assert.False(bio.Ended);
        foreach (FakeDevice path in registry.Devices)
        {
            path.Answer = null;
        }

        device.Message(default, "reinstate_path b");
        Assert.Equal(BioStatus.Ok, bio.Wait());
    }

    [Fact]
    public void Fail_if_no_path_ends_the_wait()
    {
        using TestRegistry registry = TwoPaths();
        MappedDevice device = registry.Create("m", Queueing);
        FailAll(device);
        TestBio bio = TestBio.Submit(device, BioOperation.Read, 0, 1);
        device.Message(default, "fail_if_no_path");
        Assert.Equal(BioStatus.IoError, bio.Wait());
    }

    [Fact]
    public void The_wait_ends_after_the_time_that_the_table_gives()
    {
        using TestRegistry registry = TwoPaths();
        MappedDevice device = registry.Create("m", "0 1000 multipath 3 queue_if_no_path queue_if_no_path_timeout_secs 30 0 1 1 round-robin 0 2 1 a 1 b 1");
        FailAll(device);
        TestBio bio = TestBio.Submit(device, BioOperation.Read, 0, 1);
        registry.Time.Advance(TimeSpan.FromSeconds(29));
        Assert.False(bio.Ended);
        registry.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(BioStatus.IoError, bio.Wait());
        Assert.Equal("0 1000 multipath 2 queue_if_no_path_timeout_secs 30 0 1 1 round-robin 0 2 1 a 1 b 1", TestRegistry.TableOf(device).TrimEnd());
    }

    [Fact]
    public void A_path_in_time_keeps_the_queueing()
    {
        using TestRegistry registry = TwoPaths();
        MappedDevice device = registry.Create("m", "0 1000 multipath 3 queue_if_no_path queue_if_no_path_timeout_secs 30 0 1 1 round-robin 0 2 1 a 1 b 1");
        FailAll(device);
        registry.Time.Advance(TimeSpan.FromSeconds(29));
        device.Message(default, "reinstate_path a");
        registry.Time.Advance(TimeSpan.FromSeconds(100));
        Assert.StartsWith("0 1000 multipath 3 queue_if_no_path", TestRegistry.TableOf(device).TrimEnd());
    }

    [Theory]
    [InlineData("")]
    [InlineData("queue_mode bio ")]
    public void A_noflush_suspend_hands_waiting_io_to_the_next_table(string mode)
    {
        using TestRegistry registry = TwoPaths();
        string features = mode.Length == 0 ? "1 queue_if_no_path" : "3 queue_if_no_path queue_mode bio";
        MappedDevice device = registry.Create("m", $"0 1000 multipath {features} 0 1 1 round-robin 0 1 0 a");
        device.Message(default, "fail_path a");
        TestBio bio = TestBio.Submit(device, BioOperation.Write, 3, 1);
        device.Suspend(SuspendOptions.NoFlush);
        Assert.False(bio.Ended);
        device.LoadTable($"0 1000 multipath {features} 0 1 1 round-robin 0 1 0 b");
        device.Resume();
        Assert.Equal(BioStatus.Ok, bio.Wait());
        Assert.Empty(registry["a"].Seen);
    }

    [Fact]
    public void A_suspend_with_flush_fails_waiting_io()
    {
        using TestRegistry registry = TwoPaths();
        MappedDevice device = registry.Create("m", Queueing);
        FailAll(device);
        TestBio bio = TestBio.Submit(device, BioOperation.Read, 0, 1);
        device.Suspend();
        Assert.Equal(BioStatus.IoError, bio.Wait());
        device.Resume();
        Assert.Equal(Queueing, TestRegistry.TableOf(device).TrimEnd());
    }

    [Fact]
    public void A_suspend_that_is_given_up_leaves_the_queueing_on()
    {
        using TestRegistry registry = TwoPaths();
        MappedDevice device = registry.Create("m", Queueing);
        registry["a"].Holding = true;
        TestBio bio = TestBio.Submit(device, BioOperation.Read, 0, 1);
        using CancellationTokenSource gone = new();
        Task suspend = Threads.Start(() => Assert.Throws<DmException>(() => device.Suspend(cancellation: gone.Token)));
        Wait.Until(() => device.WaitReason is not null, "the suspend");
        gone.Cancel();
        Wait.For(suspend, "the suspend");
        Assert.Equal(Queueing, TestRegistry.TableOf(device).TrimEnd());
        registry["a"].EndAll();
        Assert.Equal(BioStatus.Ok, bio.Wait());
    }

    [Fact]
    public void A_table_with_dead_paths_loads_opens_only_the_new_path_and_waiting_io_goes_on()
    {
        using TestRegistry registry = TwoPaths();
        registry.Add(new FakeDevice("c", registry["a"]));
        MappedDevice device = registry.Create("m", Queueing);
        foreach (string path in (string[])["a", "b"])
        {
            registry[path].Answer = _ => BioStatus.Transport;
            registry[path].OpenFailure = new DmException(Errno.ENXIO, $"'{path}': nobody is there");
        }

        TestBio[] bios = [.. Enumerable.Range(0, 10).Select(i => TestBio.Submit(device, BioOperation.Write, (ulong)i, 1))];
        Assert.All(bios, b => Assert.False(b.Ended));
        TestRegistry.Swap(device, "0 1000 multipath 1 queue_if_no_path 0 1 1 round-robin 0 3 1 a 1 b 1 c 1", options: SuspendOptions.NoFlush);
        Assert.All(bios, b => Assert.Equal(BioStatus.Ok, b.Wait()));
        Assert.Equal((1, 1, 1), (registry["a"].TotalOpens, registry["b"].TotalOpens, registry["c"].TotalOpens));
    }

    [Fact]
    public void Io_under_failing_and_returning_paths_is_neither_lost_nor_failed()
    {
        using TestRegistry registry = new();
        using ShufflingThread later = new(3);
        AddDevices(registry);
        MappedDevice device = registry.Create("m", Table);
        foreach (FakeDevice path in registry.Devices)
        {
            path.Later = later;
            path.Recording = false;
        }

        bool over = false;
        Task killer = Threads.Start(() =>
        {
            Random random = new(4);
            string[] paths = ["a", "b", "c"];
            while (!Volatile.Read(ref over))
            {
                FakeDevice path = registry[paths[random.Next(3)]];
                path.Answer = random.Next(2) == 0 ? _ => BioStatus.IoError : null;
                device.Message(default, $"reinstate_path {paths[random.Next(3)]}");
                if (random.Next(50) == 0)
                {
                    TestRegistry.Swap(device, Table, options: SuspendOptions.NoFlush);
                }
            }

            foreach (string path in paths)
            {
                registry[path].Answer = null;
                device.Message(default, $"reinstate_path {path}");
            }
        });
        Task users = Threads.Start(3, u =>
        {
            VerifiedIo io = new(device, (ulong)u * 300, 300, u) { Discards = false };
            for (int i = 0; i < 500; i++)
            {
                io.Step();
            }

            io.CheckAll();
        });
        Wait.Until(() => users.IsCompleted, "the users");
        Volatile.Write(ref over, true);
        Wait.For(killer, "the killer of paths");
        Wait.For(users, "the users");
    }

    [Fact]
    public void Its_way_of_a_bio_allocates_nothing()
    {
        using TestRegistry registry = TwoPaths();
        foreach (string selector in (string[])["round-robin", "queue-length", "service-time", "historical-service-time"])
        {
            MappedDevice device = registry.Create(selector, $"0 1000 multipath 0 0 1 1 {selector} 0 2 0 a b");
            foreach (FakeDevice path in registry.Devices)
            {
                path.Recording = false;
            }

            ReusedBio bio = new(device);
            Assert.Equal(0, Allocations.LeastOfRounds(() => bio.Repeat(1000)));
        }
    }

    private static TestRegistry TwoPaths()
    {
        TestRegistry registry = new();
        FakeDevice disk = registry.Add("a");
        registry.Add(new FakeDevice("b", disk));
        return registry;
    }

    private static void FailAll(MappedDevice device)
    {
        device.Message(default, "fail_path a");
        device.Message(default, "fail_path b");
    }

    private static string Status(MappedDevice device) => device.TableTexts(arguments: false)[0].Text;

    /// <summary>A bio that is used again and again.</summary>
    private sealed class ReusedBio : IBioCompletion
    {
        private readonly MappedDevice _device;
        private readonly BioBuffer _buffer = TestBio.BufferOf(GC.AllocateArray<byte>(512, pinned: true));

        public ReusedBio(MappedDevice device) => _device = device;

        public void Repeat(int times)
        {
            for (int i = 0; i < times; i++)
            {
                Bio bio = Bio.Rent();
                bio.Device = _device;
                bio.Operation = BioOperation.Read;
                bio.Sector = default;
                bio.Count = new SectorCount(1);
                bio.Buffer = _buffer;
                bio.Submit(this);
            }
        }

        public void BioEnded(Bio bio) => bio.Return();
    }
}
