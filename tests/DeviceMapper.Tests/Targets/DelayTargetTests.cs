using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

public sealed class DelayTargetTests : DataTargetConformance
{
    protected override string Table => "0 1000 delay a 24 0";

    protected override IEnumerable<string> BadTables =>
        ["0 1000 delay a 24", "0 1000 delay a 24 0 a", "0 1000 delay a x 0", "0 1000 delay a 24 -1", "0 1000 delay a 24 0 a 0 x", "0 1000 delay a 24 0 a 24 0 a 24 0 a"];

    protected override void AddDevices(TestRegistry registry) => registry.Add("a", 1024);

    protected override (string Device, ulong Sector)? Place(ulong sector) => ("a", sector + 24);

    [Fact]
    public void Each_class_waits_for_its_own_time_at_its_own_device()
    {
        using TestRegistry registry = NewRegistry();
        registry.Add("b", 1024);
        registry.Add("c", 1024);
        MappedDevice device = registry.Create("m", "0 8 delay a 0 10 b 0 20 c 0 30");
        TestBio read = TestBio.Submit(device, BioOperation.Read, 0, 1);
        TestBio write = TestBio.Submit(device, BioOperation.Write, 0, 1);
        TestBio flush = TestBio.Submit(device, BioOperation.Flush, 0, 0);
        Assert.Equal("1 1 1", device.TableTexts(arguments: false)[0].Text);
        registry.Time.Advance(TimeSpan.FromMilliseconds(9));
        Assert.False(read.Ended);
        registry.Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(read.Ended);
        Assert.Equal("0 1 1", device.TableTexts(arguments: false)[0].Text);
        registry.Time.Advance(TimeSpan.FromMilliseconds(10));
        Assert.True(write.Ended);
        Assert.False(flush.Ended);
        registry.Time.Advance(TimeSpan.FromMilliseconds(10));
        Assert.True(flush.Ended);
        Assert.Equal(BioOperation.Read, Assert.Single(registry["a"].Seen).Operation);
        Assert.Equal(BioOperation.Write, Assert.Single(registry["b"].Seen).Operation);
        Assert.Equal(BioOperation.Flush, Assert.Single(registry["c"].Seen).Operation);
    }

    [Fact]
    public void A_suspend_sends_what_waits_at_once()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", "0 8 delay a 0 100000");
        TestBio[] bios = [.. Enumerable.Range(0, 8).Select(i => TestBio.Submit(device, BioOperation.Write, (ulong)i, 1))];
        Assert.Equal("0 8 0", device.TableTexts(arguments: false)[0].Text);
        device.Suspend();
        Assert.All(bios, b => Assert.Equal(BioStatus.Ok, b.Status));
        Assert.Equal(Enumerable.Range(0, 8).Select(i => (ulong)i), registry["a"].Seen.Select(s => s.Sector));
        device.Resume();
        Assert.False(TestBio.Submit(device, BioOperation.Read, 0, 1).Ended);
        device.Suspend();
    }

    [Fact]
    public void Bios_of_one_class_keep_their_order()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", "0 64 delay a 0 5");
        for (int i = 0; i < 64; i++)
        {
            TestBio.Submit(device, BioOperation.Write, (ulong)i, 1);
            registry.Time.Advance(TimeSpan.FromMicroseconds(100));
        }

        registry.Time.Advance(TimeSpan.FromMilliseconds(20));
        Assert.Equal(Enumerable.Range(0, 64).Select(i => (ulong)i), registry["a"].Seen.Select(s => s.Sector));
    }

    [Fact]
    public void Many_devices_wait_at_once()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice[] devices = [.. Enumerable.Range(0, 500).Select(i => registry.Create($"m{i}", $"0 8 delay a 0 {1 + (i % 50)}"))];
        TestBio[] bios = [.. devices.Select(d => TestBio.Submit(d, BioOperation.Read, 0, 1))];
        registry.Time.Advance(TimeSpan.FromMilliseconds(50));
        Assert.All(bios, b => Assert.Equal(BioStatus.Ok, b.Wait()));
    }
}
