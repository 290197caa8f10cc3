using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

public sealed class StripedTargetTests : DataTargetConformance
{
    private const ulong Chunk = 7;

    protected override string Table => "0 1008 striped 3 7 a 10 b 0 a 400";

    protected override IEnumerable<string> BadTables =>
    [
        "0 96 striped", "0 96 striped 2", "0 96 striped 0 8", "0 96 striped 2 0 a 0 b 0", "0 96 striped 2 8 a 0", "0 96 striped 2 8 a 0 b",
        "0 96 striped 2 8 a 0 b 0 c 0", "0 96 striped x 8 a 0 b 0", "0 96 striped 2 8x a 0 b 0", "0 96 striped 2 8 a x b 0", "0 97 striped 2 8 a 0 b 0",
        "0 96 striped 2 7 a 0 b 0", "0 96 striped -1 8 a 0 b 0", "0 4096 striped 2 8 a 0 b 0",
    ];

    protected override void AddDevices(TestRegistry registry)
    {
        registry.Add("a");
        registry.Add("b", 336);
    }

    protected override (string Device, ulong Sector)? Place(ulong sector)
    {
        ulong chunk = sector / Chunk, at = (chunk / 3 * Chunk) + (sector % Chunk);
        return (chunk % 3) switch { 0 => ("a", 10 + at), 1 => ("b", at), _ => ("a", 400 + at) };
    }

    [Theory]
    [InlineData("0 96 striped 0 8 a 0", "striped: argument 1 (stripes): '0' is not a positive number of stripes")]
    [InlineData("0 96 striped 2 0 a 0 b 0", "striped: argument 2 (chunk size): '0' is not a positive number of sectors")]
    [InlineData("0 97 striped 2 8 a 0 b 0", "striped: the length 97 is not a multiple of the 2 stripes")]
    [InlineData("0 96 striped 2 7 a 0 b 0", "striped: the length of a stripe, 48, is not a multiple of the chunk size 7")]
    [InlineData("0 96 striped 2 8 a 0", "striped: 2 devices with their offsets expected after the chunk size, 2 words given")]
    [InlineData("0 96 striped 2 8 a 0 b y", "striped: argument 6 (offset): 'y' is not a sector number")]
    public void A_refusal_says_what_is_wrong(string table, string sentence)
    {
        using TestRegistry registry = NewRegistry();
        DmException refusal = Assert.Throws<DmException>(() => registry.Registry.Create("m").LoadTable(table));
        Assert.Equal((Errno.EINVAL, sentence), (refusal.Errno, refusal.Message));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 8)]
    [InlineData(3, 5)]
    [InlineData(4, 64)]
    [InlineData(5, 3)]
    public void Any_number_of_stripes_and_any_chunk_size_keep_the_data(int stripes, int chunk)
    {
        using TestRegistry registry = new();
        string devices = "";
        for (int i = 0; i < stripes; i++)
        {
            registry.Add($"d{i}", 1024);
            devices += $" d{i} {i}";
        }

        MappedDevice m = registry.Create("m", $"0 {stripes * chunk * 6} striped {stripes} {chunk}{devices}");
        VerifiedIo io = new(m, 0, m.Size.Value, stripes);
        for (int i = 0; i < 500; i++)
        {
            io.Step();
        }

        io.CheckAll();
    }

    /// <summary>Each stripe gets at most one run of sectors, and together they are what was asked for, no more and no less.</summary>
    [Fact]
    public void A_discard_reaches_each_stripe_once_and_exactly_its_sectors()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice m = registry.Create("m", Table);
        Random random = new(8);
        for (int round = 0; round < 300; round++)
        {
            ulong start = (ulong)random.Next(1000), count = 1 + (ulong)random.NextInt64(round % 2 == 0 ? 30 : (long)(1008 - start));
            count = Math.Min(count, 1008 - start);
            foreach (FakeDevice device in registry.Devices)
            {
                device.Forget();
            }

            Assert.Equal(BioStatus.Ok, TestBio.Do(m, BioOperation.Discard, start, count));
            List<(string Device, ulong Sector)> expected = [], seen = [];
            for (ulong sector = start; sector < start + count; sector++)
            {
                expected.Add(Place(sector)!.Value);
            }

            foreach (FakeDevice device in registry.Devices)
            {
                Assert.InRange(device.Seen.Count, 0, device.Name == "a" ? 2 : 1);
                seen.AddRange(device.Seen.SelectMany(b => Enumerable.Range(0, (int)b.Count).Select(i => (device.Name, b.Sector + (ulong)i))));
            }

            Assert.Equal(expected.Order(), seen.Order());
        }
    }

    [Fact]
    public void A_stripe_that_failed_is_marked_and_raises_events_until_the_next_table()
    {
        using TestRegistry registry = new();
        registry.Add("a");
        FakeDevice b = registry.Add("b");
        MappedDevice m = registry.Create("m", "0 96 striped 2 8 a 0 b 0");
        Assert.Equal("2 a b 1 AA", Status(m));
        b.Answer = _ => BioStatus.IoError;
        Assert.Equal(BioStatus.Ok, TestBio.Do(m, BioOperation.Read, 0, 8));
        Assert.Equal("2 a b 1 AA", Status(m));
        for (int i = 1; i <= 20; i++)
        {
            Assert.Equal(BioStatus.IoError, TestBio.Do(m, BioOperation.Read, 8, 8));
            Assert.Equal("2 a b 1 AD", Status(m));
            Assert.Equal((uint)Math.Min(i, 14), m.EventNumber);
        }

        b.Answer = null;
        Assert.Equal(BioStatus.Ok, TestBio.Do(m, BioOperation.Read, 8, 8));
        Assert.Equal("2 a b 1 AD", Status(m));
        TestRegistry.Swap(m, "0 96 striped 2 8 a 0 b 0");
        Assert.Equal("2 a b 1 AA", Status(m));
    }

    [Fact]
    public void Chunk_and_row_are_the_preferred_sizes()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice m = registry.Create("m", "0 96 striped 2 8 a 0 b 0");
        Assert.Equal((4096u, 8192u), (m.Limits.IoMin, m.Limits.IoOpt));
    }

    private static string Status(MappedDevice device) => device.TableTexts(arguments: false).Single().Text;
}
