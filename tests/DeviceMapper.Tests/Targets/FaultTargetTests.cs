using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

public sealed class FaultTargetTests : DataTargetConformance
{
    protected override string Table => "0 1000 fault a 24 seed=7 never:write:0+8:at=1000000000:error=EIO";

    protected override IEnumerable<string> BadTables =>
    [
        "0 1000 fault a",
        "0 1000 fault a x",
        "0 1000 fault a 24 cache=x",
        "0 1000 fault a 24 r",
        "0 1000 fault a 24 r:read",
        "0 1000 fault a 24 r:read:drop",
        "0 1000 fault a 24 r:error=ENOSUCH",
        "0 1000 fault a 24 r:error:drop",
        "0 1000 fault a 24 r:error r:error",
        "0 1000 fault a 24 r:next=0:error",
        "0 1000 fault a 24 r:5+0:error",
        "0 1000 fault a 24 r:by=sector:error",
        "0 1000 fault a 24 r:delay=9-3",
    ];

    protected override void AddDevices(TestRegistry registry) => registry.Add("a", 1024);

    protected override (string Device, ulong Sector)? Place(ulong sector) => ("a", sector + 24);

    [Fact]
    public void Rules_come_and_go_by_message_and_are_in_the_table()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", "0 1000 fault a 0");
        Send(device, "add bad read 8+8 error=ENODATA");
        Assert.Equal("0 1000 fault a 0 bad:read:8+8:error=ENODATA", TestRegistry.TableOf(device));
        Assert.Equal(BioStatus.Medium, TestBio.Do(device, BioOperation.Read, 15, 1));
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Read, 16, 8));
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Write, 8, 8));
        Assert.Equal("on 0 1 bad 1 1 0", Status(device));
        Send(device, "disable bad");
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Read, 15, 1));
        Send(device, "remove bad");
        Assert.Equal(Errno.ENOENT, Assert.Throws<DmException>(() => Send(device, "enable bad")).Errno);
        Assert.Equal("0 1000 fault a 0", TestRegistry.TableOf(device));
    }

    [Theory]
    [InlineData("next=2", "EEoooooo")]
    [InlineData("every=3", "ooEooEoo")]
    [InlineData("at=4", "oooEoooo")]
    [InlineData("after=now", "ooooEEEE")]
    public void A_trigger_decides_which_of_the_matching_I_Os_are_hit(string trigger, string expected)
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", $"0 1000 fault a 0 r:write:{trigger}:error");
        string seen = "";
        for (int i = 0; i < 8; i++)
        {
            if (i == 4)
            {
                Send(device, "mark now");
            }

            TestBio.Do(device, BioOperation.Read, 0, 1);
            seen += TestBio.Do(device, BioOperation.Write, 0, 1) == BioStatus.Ok ? 'o' : 'E';
        }

        Assert.Equal(expected, seen);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_same_seed_gives_the_same_faults(int seed)
    {
        string first = Faults(seed, 1);
        Assert.Equal(first, Faults(seed, 1));
        Assert.NotEqual(first, Faults(seed + 100, 1));
        Assert.Contains('E', first);
        Assert.Contains('o', first);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Decided_by_sector_the_order_of_arrival_does_not_matter(int seed) => Assert.Equal(Faults(seed, 1, ":by=sector"), Faults(seed, -1, ":by=sector"));

    [Fact]
    public void A_torn_write_leaves_the_rest_as_it_was()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", "0 1000 fault a 0 seed=3 first:write:next=1:torn=1024 some:write:torn=random");
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 0, Filled(8, 1)));
        Assert.Equal("11000000", Sectors(registry["a"], 0, 8));
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 100, Filled(64, 2)));
        string torn = Sectors(registry["a"], 100, 64);
        Assert.Contains('2', torn);
        Assert.Contains('0', torn);
    }

    [Fact]
    public void Dropped_misdirected_and_flipped_I_O_ends_well()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", "0 1000 fault a 0 lost:write:0+8:drop astray:write:100+8:misdirect=50 flip:read:200+8:flip=3");
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 0, Filled(8, 1)));
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 100, Filled(8, 2)));
        Assert.Equal("00000000", Sectors(registry["a"], 0, 8));
        Assert.Equal("00000000", Sectors(registry["a"], 100, 8));
        Assert.Equal("22222222", Sectors(registry["a"], 150, 8));
        Assert.Equal(3, TestBio.Read(device, 200, 8).Sum(b => int.PopCount(b)));
        Assert.Equal(0, registry["a"].Data.AsSpan(200 * Sector.Size, 8 * Sector.Size).IndexOfAnyExcept((byte)0) + 1);
    }

    [Fact]
    public void Space_ends_after_so_many_sectors()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", "0 1000 fault a 0 r:full=10");
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Write, 0, 8));
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Write, 8, 2));
        Assert.Equal(BioStatus.NoSpace, TestBio.Do(device, BioOperation.Write, 10, 1));
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Read, 10, 1));
    }

    [Fact]
    public void What_hangs_goes_on_when_it_is_released()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", "0 1000 fault a 0 stop:write:hang");
        uint events = device.EventNumber;
        TestBio bio = TestBio.Submit(device, BioOperation.Write, 0, 1, Filled(1, 1));
        Assert.False(bio.Ended);
        Assert.NotEqual(events, device.EventNumber);
        Assert.Equal("on 0 1 stop 1 1 1", Status(device));
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Read, 0, 1));
        Send(device, "release stop");
        Assert.Equal(BioStatus.Ok, bio.Wait());
        Assert.Equal("1", Sectors(registry["a"], 0, 1));
    }

    [Fact]
    public void A_suspend_lets_go_what_hangs_or_waits()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", "0 1000 fault a 0 stop:write:hang slow:read:delay=100000");
        TestBio[] bios = [TestBio.Submit(device, BioOperation.Write, 0, 1), TestBio.Submit(device, BioOperation.Read, 0, 1)];
        device.Suspend();
        Assert.All(bios, b => Assert.Equal(BioStatus.Ok, b.Status));
        device.Resume();
    }

    [Fact]
    public void Reordered_writes_end_in_an_order_that_the_seed_decides()
    {
        string Order(int seed)
        {
            using TestRegistry registry = NewRegistry();
            MappedDevice device = registry.Create("m", $"0 1000 fault a 0 seed={seed} r:write:reorder=50");
            registry["a"].Forget();
            for (ulong i = 0; i < 16; i++)
            {
                TestBio.Submit(device, BioOperation.Write, i, 1);
            }

            registry.Time.Advance(TimeSpan.FromMilliseconds(50));
            return string.Join(',', registry["a"].Seen.Select(b => b.Sector));
        }

        Assert.Equal(Order(1), Order(1));
        Assert.NotEqual(Order(1), Order(2));
        Assert.NotEqual(string.Join(',', Enumerable.Range(0, 16)), Order(1));
    }

    private string Faults(int seed, int direction, string more = "")
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", $"0 1000 fault a 0 seed={seed} r:write:p=0.3{more}:error");
        char[] ends = new char[200];
        for (int i = direction > 0 ? 0 : 199; i is >= 0 and < 200; i += direction)
        {
            ends[i] = TestBio.Do(device, BioOperation.Write, (ulong)i, 1) == BioStatus.Ok ? 'o' : 'E';
        }

        return new string(ends);
    }

    internal static byte[] Filled(int sectors, byte value)
    {
        byte[] data = new byte[sectors * Sector.Size];
        data.AsSpan().Fill(value);
        return data;
    }

    /// <summary>The first byte of each sector, as a digit.</summary>
    internal static string Sectors(FakeDevice device, int first, int count) =>
        string.Concat(Enumerable.Range(first, count).Select(s => device.Data[s * Sector.Size]));

    private static string? Send(MappedDevice device, string message) => device.Message(default, message);

    private static string Status(MappedDevice device) => device.TableTexts(arguments: false)[0].Text;
}
