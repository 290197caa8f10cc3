using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

public sealed class ZeroTargetTests : TargetConformance
{
    protected override string Table => "0 1000 zero";

    protected override IEnumerable<string> BadTables => ["0 10 zero 1", "0 10 zero x", "0 10 zero a 0"];

    protected override bool NeedsItsDevices => false;

    protected override void AddDevices(TestRegistry registry)
    {
    }

    [Fact]
    public void Reads_are_zeroes_and_writes_are_forgotten()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice m = registry.Create("m", Table);
        byte[] data = new byte[8 * Sector.Size];
        Array.Fill(data, (byte)1);
        Assert.Equal(BioStatus.Ok, TestBio.Write(m, 0, data));
        Assert.Equal(BioStatus.Ok, TestBio.Read(m, 0, data));
        Assert.All(data, b => Assert.Equal(0, b));
    }

    [Fact]
    public void A_read_into_pieces_of_memory_clears_them_all()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice m = registry.Create("m", Table);
        byte[] memory = GC.AllocateArray<byte>(3 * Sector.Size, pinned: true);
        TestBio bio = TestBio.Submit(m, BioOperation.Read, 0, 3, [.. Enumerable.Repeat((byte)7, 3 * Sector.Size)], pieces: [1, 2]);
        Assert.Equal(BioStatus.Ok, bio.Wait());
        Assert.Equal(memory, bio.Data);
    }

    [Fact]
    public void Discards_and_writes_of_zeroes_end_well()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice m = registry.Create("m", Table);
        Assert.Equal(BioStatus.Ok, TestBio.Do(m, BioOperation.Discard, 0, 1000));
        Assert.Equal(BioStatus.Ok, TestBio.Do(m, BioOperation.WriteZeroes, 0, 8));
        Assert.Equal(BioStatus.IoError, TestBio.Do(m, BioOperation.Read, 0, 8, BioFlags.ReadAhead));
        Assert.Equal(BioStatus.Ok, TestBio.Flush(m));
    }

    [Fact]
    public void It_is_as_large_as_a_device_can_be()
    {
        using TestRegistry registry = NewRegistry();
        ulong largest = (ulong)long.MaxValue >> Sector.Shift;
        MappedDevice m = registry.Create("m", $"0 {largest} zero");
        Assert.Equal(BioStatus.Ok, TestBio.Do(m, BioOperation.Read, largest - 1, 1));
        Assert.Equal(BioStatus.IoError, TestBio.Do(m, BioOperation.Read, largest, 1));
        Assert.Equal(Errno.EINVAL, Assert.Throws<DmException>(() => m.LoadTable($"0 {largest + 1} zero")).Errno);
    }

    [Fact]
    public void It_is_a_hole_from_end_to_end()
    {
        using TestRegistry registry = NewRegistry();
        Assert.Equal((new SectorCount(900), true), registry.Create("m", Table).ExtentAt(new Sector(100), new SectorCount(5000)));
    }
}
