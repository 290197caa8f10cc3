using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

public sealed class LinearTargetTests : DataTargetConformance
{
    protected override string Table => "0 600 linear a 24\n600 300 linear b 0\n900 100 linear a 624";

    protected override IEnumerable<string> BadTables =>
    [
        "0 10 linear", "0 10 linear a", "0 10 linear a 0 0", "0 10 linear a x", "0 10 linear a 1x", "0 10 linear a 0x1", "0 10 linear a 1.5",
        "0 1025 linear a 0", "0 10 linear a 1020", "0 10 linear a 1024", "0 10 linear a 18446744073709551615",
    ];

    protected override void AddDevices(TestRegistry registry)
    {
        registry.Add("a");
        registry.Add("b", 300);
    }

    protected override (string Device, ulong Sector)? Place(ulong sector) => sector switch
    {
        < 600 => ("a", sector + 24),
        < 900 => ("b", sector - 600),
        _ => ("a", sector - 900 + 624),
    };

    [Theory]
    [InlineData("0 10 linear a", "linear: 2 arguments expected (<device> <offset>), 1 given")]
    [InlineData("0 10 linear a 1x", "linear: argument 2 (offset): '1x' is not a sector number")]
    [InlineData("0 10 linear a 1020", "linear: 'a' has 1024 sectors, too few for 10 from sector 1020")]
    [InlineData("0 10 linear a 0\n10 10 linear a", "line 2: linear: 2 arguments expected (<device> <offset>), 1 given")]
    public void A_refusal_says_what_is_wrong(string table, string sentence)
    {
        using TestRegistry registry = NewRegistry();
        DmException refusal = Assert.Throws<DmException>(() => registry.Registry.Create("m").LoadTable(table));
        Assert.Equal((Errno.EINVAL, sentence), (refusal.Errno, refusal.Message));
    }

    [Fact]
    public void All_operations_go_to_the_device_with_their_flags()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice m = registry.Create("m", "0 100 linear a 24");
        TestBio.Do(m, BioOperation.Write, 1, 2, BioFlags.Fua);
        TestBio.Do(m, BioOperation.Read, 3, 4, BioFlags.NoWait);
        TestBio.Do(m, BioOperation.Discard, 5, 6);
        TestBio.Do(m, BioOperation.WriteZeroes, 7, 8, BioFlags.NoUnmap);
        TestBio.Do(m, BioOperation.SecureErase, 9, 10);
        Assert.Equal(
            [
                new SeenBio(BioOperation.Write, 25, 2, BioFlags.Fua),
                new SeenBio(BioOperation.Read, 27, 4, BioFlags.NoWait),
                new SeenBio(BioOperation.Discard, 29, 6, BioFlags.None),
                new SeenBio(BioOperation.WriteZeroes, 31, 8, BioFlags.NoUnmap),
                new SeenBio(BioOperation.SecureErase, 33, 10, BioFlags.None),
            ],
            registry["a"].Seen);
    }

    [Fact]
    public void What_the_device_cannot_do_it_cannot_do()
    {
        using TestRegistry registry = NewRegistry();
        registry["a"].Limits = new QueueLimits();
        MappedDevice m = registry.Create("m", "0 100 linear a 24");
        foreach (BioOperation operation in new[] { BioOperation.Discard, BioOperation.WriteZeroes, BioOperation.SecureErase })
        {
            Assert.Equal(BioStatus.Unsupported, TestBio.Do(m, operation, 0, 8));
        }

        Assert.Empty(registry["a"].Seen);
    }

    [Fact]
    public void Status_is_empty()
    {
        using TestRegistry registry = NewRegistry();
        Assert.Equal(new TargetText(new Sector(0), new SectorCount(10), "linear", ""), registry.Create("m", "0 10 linear a 0").TableTexts(arguments: false).Single());
    }

    [Fact]
    public void A_device_that_shrinks_fails_what_lies_beyond_its_end()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice m = registry.Create("m", "0 1000 linear a 0");
        registry["a"].Size = new SectorCount(500);
        Assert.Equal(BioStatus.Ok, TestBio.Do(m, BioOperation.Read, 499, 1));
        Assert.Equal(BioStatus.IoError, TestBio.Do(m, BioOperation.Read, 499, 2));
        Assert.Equal(Errno.EINVAL, Assert.Throws<DmException>(() => TestRegistry.Swap(m, "0 1000 linear a 0")).Errno);
        m.Resume();
        Assert.Equal(BioStatus.Ok, TestBio.Do(m, BioOperation.Read, 0, 1));
    }
}
