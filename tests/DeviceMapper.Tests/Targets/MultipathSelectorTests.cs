using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

/// <summary>Which path each selector chooses, and what it shows.</summary>
public sealed class MultipathSelectorTests
{
    [Fact]
    public void Queue_length_takes_the_path_with_the_fewest_IOs()
    {
        using TestRegistry registry = Paths();
        MappedDevice device = Create(registry, "queue-length", 0);
        registry["a"].Holding = true;
        TestBio first = TestBio.Submit(device, BioOperation.Read, 0, 1);
        registry["b"].Forget();
        registry["c"].Forget();
        for (int i = 0; i < 6; i++)
        {
            TestBio.Do(device, BioOperation.Read, 0, 1);
        }

        Assert.Equal((1, 3, 3), Seen(registry));
        Assert.Equal("2 0 0 0 1 1 A 0 3 1 a A 0 1 b A 0 0 c A 0 0", Status(device));
        registry["a"].EndAll();
        Assert.Equal(BioStatus.Ok, first.Wait());
    }

    [Fact]
    public void Service_time_counts_sectors_against_throughput()
    {
        using TestRegistry registry = Paths();
        MappedDevice device = registry.Create("m", "0 1000 multipath 0 0 1 1 service-time 0 3 2 a 1 0 b 1 1 c 1 10");
        registry["c"].Holding = true;
        TestBio.Submit(device, BioOperation.Read, 0, 100); // on c, which is the fastest
        TestBio.Submit(device, BioOperation.Read, 0, 50); // and is it still: (100 + 50) / 10 < (0 + 50) / 1
        Assert.Equal((0, 0, 2), Seen(registry));
        TestBio.Do(device, BioOperation.Read, 0, 1); // (150 + 1) / 10 > (0 + 1) / 1
        Assert.Equal((0, 1, 2), Seen(registry));
        Assert.Equal("2 0 0 0 1 1 A 0 3 2 a A 0 0 0 b A 0 0 1 c A 0 76800 10", Status(device));
        device.Message(default, "fail_path b");
        device.Message(default, "fail_path c");
        TestBio.Do(device, BioOperation.Read, 0, 1); // no throughput, but no other path
        Assert.Equal((1, 1, 2), Seen(registry));
        registry["c"].EndAll();
    }

    [Theory]
    [InlineData("0", 0, 0, 1)] // at most as a probe
    [InlineData("2 972 1000", 1000, 6, 7)] // a hundred times as slow is near enough: the number of I/Os counts
    public void Historical_service_time_avoids_the_path_that_was_slow(string words, int threshold, int least, int most)
    {
        using TestRegistry registry = Paths();
        MappedDevice device = registry.Create("m", $"0 1000 multipath 0 0 1 1 historical-service-time {words} 3 1 a 0 b 0 c 0");
        Assert.Equal($"0 1000 multipath 0 0 1 1 historical-service-time 2 972 {threshold} 3 1 a 0 b 0 c 0", TestRegistry.TableOf(device).TrimEnd());
        Assert.Equal($"2 1 0 0 1 1 E 2 972 {threshold} 3 3 a A 0 1024 0 0 b A 0 1024 0 0 c A 0 1024 0 0", Status(device));
        foreach ((string path, int milliseconds) in ((string, int)[])[("a", 100), ("b", 1), ("c", 1)])
        {
            registry[path].Holding = true;
            TestBio bio = TestBio.Submit(device, BioOperation.Read, 0, 1);
            registry.Time.Advance(TimeSpan.FromMilliseconds(milliseconds));
            registry[path].EndAll();
            Assert.Equal(BioStatus.Ok, bio.Wait());
        }

        foreach (FakeDevice path in registry.Devices)
        {
            path.Forget();
            path.Holding = true;
        }

        TestBio[] bios = [.. Enumerable.Range(0, 20).Select(_ => TestBio.Submit(device, BioOperation.Read, 0, 1))];
        Assert.InRange(registry["a"].Seen.Count, least, most);
        foreach (FakeDevice path in registry.Devices)
        {
            path.EndAll();
        }

        Assert.All(bios, b => Assert.Equal(BioStatus.Ok, b.Wait()));
    }

    [Fact]
    public void Historical_service_time_averages_as_the_kernel()
    {
        using TestRegistry registry = Paths();
        MappedDevice device = registry.Create("m", "0 1000 multipath 0 0 1 1 historical-service-time 2 512 3 1 1 a 7");
        registry["a"].Holding = true;
        TestBio.Submit(device, BioOperation.Read, 0, 1);
        ulong start = (ulong)registry.Time.GetTimestamp() * (1_000_000_000 / (ulong)registry.Time.TimestampFrequency);
        registry.Time.Advance(TimeSpan.FromMicroseconds(8));
        registry["a"].EndAll();
        // (1024 × 512 + 8000 × 1024 × (1024 - 512) + 512) / 1024; stale after one such time
        Assert.Equal($"2 0 0 0 1 1 A 2 512 3 1 3 a A 0 4096512 0 {start + 8000 + (4096512 >> 10)}", Status(device));
    }

    [Fact]
    public void Io_affinity_takes_the_processors_path_and_any_other_when_that_has_failed()
    {
        using TestRegistry registry = Paths();
        int processors = Environment.ProcessorCount;
        string mask = ((1UL << Math.Min(processors, 60)) - 1).ToString("x", System.Globalization.CultureInfo.InvariantCulture);
        Assert.SkipUnless(processors is >= 2 and <= 32, "needs 2 to 32 processors");
        string rest = ((1UL << processors) - 2).ToString("x", System.Globalization.CultureInfo.InvariantCulture);
        MappedDevice device = registry.Create("m", $"0 1000 multipath 0 0 1 1 io-affinity 0 2 1 a 1 b {rest}");
        Assert.Equal($"0 1000 multipath 0 0 1 1 io-affinity 0 2 1 a {"1".PadLeft(mask.Length, '0')} b {rest.PadLeft(mask.Length, '0')}", TestRegistry.TableOf(device).TrimEnd());
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Read, 0, 1));
        }

        device.Message(default, "fail_path a");
        int before = registry["a"].Seen.Count;
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Read, 0, 1));
        }

        Assert.Equal(before, registry["a"].Seen.Count);
        Assert.Equal("2 0 0 0 1 1 A 0 2 1 a F 1 0 b A 0 0", Status(device));
    }

    private static TestRegistry Paths()
    {
        TestRegistry registry = new();
        FakeDevice disk = registry.Add("a");
        registry.Add(new FakeDevice("b", disk));
        registry.Add(new FakeDevice("c", disk));
        return registry;
    }

    private static MappedDevice Create(TestRegistry registry, string selector, int words) =>
        registry.Create("m", $"0 1000 multipath 0 0 1 1 {selector} 0 3 {words} a b c");

    private static (int A, int B, int C) Seen(TestRegistry registry) => (registry["a"].Seen.Count, registry["b"].Seen.Count, registry["c"].Seen.Count);

    private static string Status(MappedDevice device) => device.TableTexts(arguments: false)[0].Text.TrimEnd();
}
