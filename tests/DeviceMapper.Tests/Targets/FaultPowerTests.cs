using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

/// <summary>The volatile cache of the fault target, and what a power cut leaves.</summary>
public sealed class FaultPowerTests : DataTargetConformance
{
    protected override string Table => "0 1000 fault a 24 cache=64K";

    protected override IEnumerable<string> BadTables => ["0 1000 fault a 24 cache=0", "0 1000 fault a 24 cache=1K atomic=1024"];

    /// <summary>A write ends in the cache: later errors of the device reach the flush.</summary>
    protected override bool PassesErrors => false;

    protected override void AddDevices(TestRegistry registry) => registry.Add("a", 1024);

    [Fact]
    public void Without_a_flush_a_write_is_lost()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", "0 1000 fault a 0 cache=1M");
        TestBio.Write(device, 0, FaultTargetTests.Filled(1, 1));
        TestBio.Flush(device);
        TestBio.Write(device, 0, FaultTargetTests.Filled(1, 2));
        TestBio.Write(device, 1, FaultTargetTests.Filled(1, 3), BioFlags.Fua);
        TestBio.Write(device, 2, FaultTargetTests.Filled(1, 4));
        Assert.Equal(2, TestBio.Read(device, 0, 1)[0]);
        Send(device, "power_cut");
        Assert.Equal(BioStatus.IoError, TestBio.Do(device, BioOperation.Read, 0, 1));
        Assert.Equal("", Send(device, "power_on"));
        Assert.Equal("130", FaultTargetTests.Sectors(registry["a"], 0, 3));
        Assert.Equal(1, TestBio.Read(device, 0, 1)[0]);
    }

    [Fact]
    public void All_may_be_kept()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", "0 1000 fault a 0 cache=1M");
        TestBio.Write(device, 3, FaultTargetTests.Filled(4, 1));
        TestBio.Write(device, 5, FaultTargetTests.Filled(1, 2));
        Send(device, "power_cut");
        Assert.Equal("3+2\n5+1\n6+1\n", Send(device, "power_on keep=all"));
        Assert.Equal("1121", FaultTargetTests.Sectors(registry["a"], 3, 4));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void A_prefix_keeps_writes_in_their_order(int seed)
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", $"0 1000 fault a 0 seed={seed} cache=1M");
        for (ulong i = 0; i < 20; i++)
        {
            TestBio.Write(device, i * 8, FaultTargetTests.Filled(8, 1));
        }

        Send(device, "power_cut");
        Send(device, "power_on keep=prefix atomic=4096");
        string kept = FaultTargetTests.Sectors(registry["a"], 0, 160);
        Assert.Matches("^1*0*$", kept);
        Assert.Equal(0, kept.Count(c => c == '1') % 8);
    }

    [Fact]
    public void A_random_choice_depends_on_the_seed_alone()
    {
        string Kept(int seed)
        {
            using TestRegistry registry = NewRegistry();
            MappedDevice device = registry.Create("m", $"0 1000 fault a 0 seed={seed} cache=1M");
            TestBio.Write(device, 0, FaultTargetTests.Filled(100, 1));
            Send(device, "power_cut");
            return Send(device, "power_on keep=random")!;
        }

        Assert.Equal(Kept(1), Kept(1));
        Assert.NotEqual(Kept(1), Kept(2));
    }

    [Fact]
    public void A_flush_makes_durable_only_what_had_ended_when_it_came()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", "0 1000 fault a 0 cache=1M");
        TestBio.Write(device, 0, FaultTargetTests.Filled(1, 1));
        registry["a"].Holding = true;
        TestBio flush = TestBio.Submit(device, BioOperation.Flush, 0, 0);
        TestBio.Write(device, 0, FaultTargetTests.Filled(1, 2));
        registry["a"].Holding = false;
        registry["a"].EndAll();
        Assert.Equal(BioStatus.Ok, flush.Wait());
        Assert.Equal("1", FaultTargetTests.Sectors(registry["a"], 0, 1));
        Assert.Equal(2, TestBio.Read(device, 0, 1)[0]);
    }

    [Theory]
    [InlineData("inflight=eio")]
    [InlineData("inflight=hang")]
    public void I_O_in_flight_at_the_cut_fails_or_is_not_answered(string how)
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", "0 1000 fault a 0");
        registry["a"].Holding = true;
        TestBio bio = TestBio.Submit(device, BioOperation.Read, 0, 1);
        Send(device, $"power_cut {how}");
        registry["a"].Holding = false;
        registry["a"].EndAll();
        Assert.Equal(how == "inflight=eio", bio.Ended);
        Send(device, "power_on");
        Assert.Equal(BioStatus.IoError, bio.Wait());
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Read, 0, 1));
    }

    [Fact]
    public void A_rule_may_cut_the_power()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", "0 1000 fault a 0 cache=1M third:write:at=3:cut");
        BioStatus[] ends = [.. Enumerable.Range(0, 4).Select(i => TestBio.Do(device, BioOperation.Write, (ulong)i, 1))];
        Assert.Equal([BioStatus.Ok, BioStatus.Ok, BioStatus.IoError, BioStatus.IoError], ends);
        Assert.StartsWith("off ", device.TableTexts(arguments: false)[0].Text);
    }

    /// <summary>A small write-ahead log survives a power cut at every I/O; with flushes dropped it does not, so that this can fail.</summary>
    [Theory]
    [InlineData("", true)]
    [InlineData(" lie:flush:drop", false)]
    public void A_write_ahead_log_survives_a_cut_at_every_write(string lies, bool survives)
    {
        bool lost = false;
        for (int cut = 1; cut <= 30; cut++)
        {
            using TestRegistry registry = NewRegistry();
            MappedDevice device = registry.Create("m", $"0 1000 fault a 0 seed={cut} cache=1M cut:write:at={cut}:cut{lies}");
            int acknowledged = 0;
            for (byte record = 1; record <= 15 && WriteRecord(device, record); record++)
            {
                acknowledged = record;
            }

            if (device.TableTexts(arguments: false)[0].Text.StartsWith("off", StringComparison.Ordinal))
            {
                Send(device, "power_on keep=random");
            }

            lost |= Recover(device) < acknowledged;
        }

        Assert.Equal(!survives, lost);
    }

    /// <summary>A record: its data, a flush, then the commit block that counts it, a flush.</summary>
    private static bool WriteRecord(MappedDevice device, byte record) =>
        TestBio.Write(device, record, FaultTargetTests.Filled(1, record)) == BioStatus.Ok
        && TestBio.Flush(device) == BioStatus.Ok
        && TestBio.Write(device, 0, FaultTargetTests.Filled(1, record)) == BioStatus.Ok
        && TestBio.Flush(device) == BioStatus.Ok;

    /// <summary>How many records there are, all of them whole.</summary>
    private static int Recover(MappedDevice device)
    {
        int count = TestBio.Read(device, 0, 1)[0];
        for (int record = 1; record <= count; record++)
        {
            if (TestBio.Read(device, (ulong)record, 1)[0] != record)
            {
                return record - 1;
            }
        }

        return count;
    }

    private static string? Send(MappedDevice device, string message) => device.Message(default, message);
}
