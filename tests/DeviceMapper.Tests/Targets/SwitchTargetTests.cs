using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

public sealed class SwitchTargetTests : DataTargetConformance
{
    protected override string Table => "0 1000 switch 3 24 0 a 0 b 8 c 16";

    protected override IEnumerable<string> BadTables =>
    [
        "0 96 switch", "0 96 switch 1 16", "0 96 switch 0 16 0", "0 96 switch 1 0 0 a 0", "0 96 switch 1 16 1 a 0", "0 96 switch 2 16 0 a 0",
        "0 96 switch 1 16 0 a 0 b 0", "0 96 switch 1 16 0 a x", "0 96 switch 4294967295 16 0 a 0",
    ];

    protected override void AddDevices(TestRegistry registry)
    {
        registry.Add("a");
        registry.Add("b");
        registry.Add("c");
    }

    // As the kernel, which gives this target no flushes.
    protected override IEnumerable<string> FlushReaches(TestRegistry registry) => [];

    protected override (string Device, ulong Sector)? Place(ulong sector) =>
        (sector / 24 % 3) switch { 0 => ("a", sector), 1 => ("b", sector + 8), _ => ("c", sector + 16) };

    [Theory]
    [InlineData("0:1 1:1 2:0 3:0", "11000101")]
    [InlineData("7:0", "01010100")]
    [InlineData("2:1 :0 :0 :1", "01100101")]
    [InlineData(":0", "00010101")]
    [InlineData("0:1 R1,7", "11111111")]
    [InlineData("0:1 :1 :0 r3,5", "11011011")]
    [InlineData("1:0 R1,3 :1 R2,2", "00000101")]
    [InlineData("0:1 R1,0 :1", "11010101")]
    public void Mappings_say_which_path_a_region_uses(string mappings, string expected)
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice m = registry.Create("m", "0 64 switch 2 8 0 a 0 b 0");
        Assert.Null(m.Message(default, $"set_region_mappings {mappings}"));
        Assert.Equal(expected, PathsOf(m, registry, 8, 8));
    }

    [Theory]
    [InlineData("8:0", "argument 1 ('8:0'): region 8 is past the last, 7")]
    [InlineData("0:2", "argument 1 ('0:2'): path 2 is past the last, 1")]
    [InlineData("x:0", "argument 1 ('x:0'): none of REGION:PATH, :PATH and RCYCLE,COUNT, in hexadecimal")]
    [InlineData("0:0x1", "argument 1 ('0:0x1'): none of REGION:PATH, :PATH and RCYCLE,COUNT, in hexadecimal")]
    [InlineData("R1", "argument 1 ('R1'): none of REGION:PATH, :PATH and RCYCLE,COUNT, in hexadecimal")]
    [InlineData("R,1", "argument 1 ('R,1'): none of REGION:PATH, :PATH and RCYCLE,COUNT, in hexadecimal")]
    [InlineData("1:0 R3,1", "argument 2 ('R3,1'): a cycle of 3 does not lie before region 2")]
    [InlineData("0:0 R1,8", "argument 2 ('R1,8'): 8 regions after region 0 reach past the last, 7")]
    [InlineData("0:0 R1,ffffffffffffffff", "argument 2 ('R1,ffffffffffffffff'): ffffffffffffffff regions after region 0 reach past the last, 7")]
    public void A_mapping_that_does_not_fit_is_refused(string mappings, string sentence)
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice m = registry.Create("m", "0 64 switch 2 8 0 a 0 b 0");
        DmException refusal = Assert.Throws<DmException>(() => m.Message(default, $"set_region_mappings {mappings}"));
        Assert.Equal((Errno.EINVAL, "switch: set_region_mappings: " + sentence), (refusal.Errno, refusal.Message));
    }

    [Fact]
    public void What_stands_before_an_error_stays_done()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice m = registry.Create("m", "0 64 switch 2 8 0 a 0 b 0");
        Assert.Throws<DmException>(() => m.Message(default, "set_region_mappings 0:1 2:1 9:0 4:1"));
        Assert.Equal("11110101", PathsOf(m, registry, 8, 8));
    }

    /// <summary>Against a plain array, with a number of paths whose entries do not fill a word.</summary>
    [Theory]
    [InlineData(2, 1_000_000)]
    [InlineData(5, 300_001)]
    [InlineData(1, 100)]
    public void Hundreds_of_thousands_of_regions_are_kept_as_they_were_set(int paths, int regions)
    {
        using TestRegistry registry = new();
        registry.Add("d", (ulong)regions);
        MappedDevice m = registry.Create("m", $"0 {regions} switch {paths} 1 0 {string.Join(' ', Enumerable.Repeat("d 0", paths))}");
        Random random = new(paths);
        int[] expected = [.. Enumerable.Range(0, regions).Select(i => i % paths)];
        for (int round = 0; round < 50; round++)
        {
            int at = random.Next(regions), cycle = random.Next(1, Math.Min(at + 2, 9)), count = random.Next(regions - at), path = random.Next(paths);
            m.Message(default, $"set_region_mappings {at:x}:{path:x} R{cycle:x},{count:x}");
            expected[at] = path;
            for (int i = at + 1; i <= at + count; i++)
            {
                expected[i] = expected[i - cycle];
            }
        }

        DeviceMapper.Targets.Switch.RegionTable table = new((ulong)regions, (uint)paths);
        for (int i = 0; i < regions; i++)
        {
            table[(ulong)i] = (uint)expected[i];
        }

        Assert.All(Enumerable.Range(0, 1000).Select(_ => random.Next(regions)), i => Assert.Equal((uint)expected[i], table[(ulong)i]));
    }

    [Fact]
    public void A_plus_sign_may_lead_an_offset()
    {
        using TestRegistry registry = NewRegistry();
        Assert.Equal("1 16 0 a 8", TestRegistry.TableOf(registry.Create("m", "0 96 switch 1 16 0 a +8")).Split("switch ")[1]);
    }

    [Fact]
    public void A_message_that_is_none_says_which_there_is()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice m = registry.Create("m", Table);
        DmException refusal = Assert.Throws<DmException>(() => m.Message(default, "set_regions 0:1"));
        Assert.Equal("switch: 'set_regions' is no message of this target: set_region_mappings is expected", refusal.Message);
    }

    private static string PathsOf(MappedDevice device, TestRegistry registry, int regions, ulong size)
    {
        string paths = "";
        for (ulong region = 0; region < (ulong)regions; region++)
        {
            registry["a"].Forget();
            Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Read, region * size, 1));
            paths += registry["a"].Seen.Count > 0 ? '0' : '1';
        }

        return paths;
    }
}
