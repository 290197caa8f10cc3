using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

public sealed class UnstripedTargetTests : DataTargetConformance
{
    protected override string Table => "0 300 unstriped 3 5 1 a 10";

    protected override IEnumerable<string> BadTables =>
    [
        "0 300 unstriped", "0 300 unstriped 3 5 1 a", "0 300 unstriped 3 5 1 a 10 0", "0 300 unstriped 0 5 1 a 10", "0 300 unstriped 3 0 1 a 10",
        "0 300 unstriped 3 5 4 a 10", "0 300 unstriped 3 5 -1 a 10", "0 300 unstriped 3 5 1 a x", "0 301 unstriped 3 5 1 a 10",
    ];

    // The kernel's target has EINVAL for whatever happens at the open: tested below.
    protected override bool NeedsItsDevices => false;

    protected override void AddDevices(TestRegistry registry) => registry.Add("a", 1024);

    protected override (string Device, ulong Sector)? Place(ulong sector) => ("a", 10 + 5 + sector + (sector / 5 * 10));

    [Theory]
    [InlineData("0 96 unstriped 0 8 0 a 0", "unstriped: argument 1 (stripes): '0' is not a positive number of stripes")]
    [InlineData("0 96 unstriped 2 8 3 a 0", "unstriped: argument 3 (stripe): '3' is not a number from 0 to 2")]
    [InlineData("0 96 unstriped 2 7 0 a 0", "unstriped: the length 96 is not a multiple of the chunk size 7")]
    public void A_refusal_says_what_is_wrong(string table, string sentence)
    {
        using TestRegistry registry = NewRegistry();
        DmException refusal = Assert.Throws<DmException>(() => registry.Registry.Create("m").LoadTable(table));
        Assert.Equal((Errno.EINVAL, sentence), (refusal.Errno, refusal.Message));
    }

    [Fact]
    public void A_device_that_does_not_open_is_EINVAL_and_says_why()
    {
        using TestRegistry registry = NewRegistry();
        registry["a"].OpenFailure = new DmException(Errno.ENXIO, "'a': nobody is there");
        DmException refusal = Assert.Throws<DmException>(() => registry.Registry.Create("m").LoadTable(Table));
        Assert.Equal((Errno.EINVAL, "unstriped: argument 4 (device): 'a': nobody is there"), (refusal.Errno, refusal.Message));
        registry.AssertNothingLeft();
    }

    /// <summary>Each stripe of a striped device, taken apart again, has what the stripe's device has.</summary>
    [Theory]
    [InlineData(2, 8)]
    [InlineData(3, 5)]
    public void The_stripes_of_a_striped_device_are_found_again(int stripes, int chunk)
    {
        using TestRegistry registry = new();
        int rows = 6;
        string legs = "";
        for (int i = 0; i < stripes; i++)
        {
            registry.Add($"d{i}", 1024);
            legs += $" d{i} 0";
        }

        // The striped device itself is taken apart through a device of the same layout.
        registry.Add("whole", (ulong)(stripes * chunk * rows));
        MappedDevice striped = registry.Create("s", $"0 {stripes * chunk * rows} striped {stripes} {chunk}{legs}");
        for (int i = 0; i < stripes; i++)
        {
            MappedDevice one = registry.Create($"u{i}", $"0 {chunk * rows} unstriped {stripes} {chunk} {i} whole 0");
            for (ulong sector = 0; sector < (ulong)(chunk * rows); sector++)
            {
                registry["whole"].Forget();
                Assert.Equal(BioStatus.Ok, TestBio.Do(one, BioOperation.Read, sector, 1));
                ulong at = Assert.Single(registry["whole"].Seen).Sector;
                registry[$"d{i}"].Forget();
                Assert.Equal(BioStatus.Ok, TestBio.Do(striped, BioOperation.Read, at, 1));
                Assert.Equal(sector, Assert.Single(registry[$"d{i}"].Seen).Sector);
            }
        }
    }

    [Fact]
    public void Rows_are_counted_from_the_start_of_the_target()
    {
        using TestRegistry registry = new();
        registry.Add("whole");
        MappedDevice device = registry.Create("m", "0 10 zero\n10 40 unstriped 2 5 1 whole 0");
        foreach ((ulong sector, ulong at) in ((ulong, ulong)[])[(10, 5), (14, 9), (15, 15), (49, 79)])
        {
            registry["whole"].Forget();
            Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Read, sector, 1));
            Assert.Equal(at, Assert.Single(registry["whole"].Seen).Sector);
        }
    }
}
