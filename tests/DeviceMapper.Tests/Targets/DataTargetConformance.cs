using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

/// <summary>What every target must do that reads give what writes wrote.</summary>
public abstract class DataTargetConformance : TargetConformance
{
    /// <summary>The device and sector where a sector of the target lies as it is; null where that is not fixed, or the data is transformed.</summary>
    protected virtual (string Device, ulong Sector)? Place(ulong sector) => null;

    /// <summary>Whether a write with FUA reaches some device with FUA, or is followed by a flush, before it ends.</summary>
    protected virtual bool KeepsFua => true;

    /// <summary>Whether an error of a device that holds data ends the bio with that error.</summary>
    protected virtual bool PassesErrors => true;

    /// <summary>The error that a bio ends with when its device gives one.</summary>
    protected virtual BioStatus ErrorFor(BioStatus below) => below;

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, true)]
    [InlineData(4, true)]
    public void Random_I_O_reads_what_was_written(int seed, bool later)
    {
        using TestRegistry registry = NewRegistry();
        using ShufflingThread shuffling = new(seed);
        MappedDevice device = registry.Create("m", Table);
        foreach (FakeDevice lower in registry.Devices)
        {
            lower.Later = later ? shuffling : null;
        }

        VerifiedIo io = new(device, 0, device.Size.Value, seed) { Largest = seed % 2 == 0 ? 16 : (int)Math.Min(device.Size.Value, 256) };
        for (int i = 0; i < (later ? 250 : 600); i++)
        {
            io.Step();
        }

        io.CheckAll();
    }

    [Fact]
    public void Concurrent_I_O_reads_what_was_written()
    {
        using TestRegistry registry = NewRegistry();
        using ShufflingThread later = new(1);
        MappedDevice device = registry.Create("m", Table);
        foreach (FakeDevice lower in registry.Devices)
        {
            lower.Later = later;
            lower.Recording = false;
        }

        RunUsers(device, 4, 300);
    }

    [Fact]
    public void Concurrent_I_O_over_suspends_and_reloads_reads_what_was_written()
    {
        using TestRegistry registry = NewRegistry();
        using ShufflingThread later = new(2);
        MappedDevice device = registry.Create("m", Table);
        foreach (FakeDevice lower in registry.Devices)
        {
            lower.Later = later;
            lower.Recording = false;
        }

        bool over = false;
        Task swapper = Threads.Start(() =>
        {
            for (int i = 0; !Volatile.Read(ref over); i++)
            {
                device.Suspend(i % 3 == 0 ? SuspendOptions.NoFlush : SuspendOptions.None);
                if (i % 2 == 0 && Reloads)
                {
                    device.LoadTable(Table);
                }

                device.Resume();
            }
        });
        RunUsers(device, 3, 200);
        Volatile.Write(ref over, true);
        Wait.For(swapper, "the swapper");
    }

    [Fact]
    public void Data_lies_where_the_table_says()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", Table);
        if (Place(0) is null)
        {
            return;
        }

        byte[] data = new byte[device.Size.Bytes];
        new Random(5).NextBytes(data);
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 0, data));
        for (ulong sector = 0; sector < device.Size.Value; sector++)
        {
            (string lower, ulong at) = Place(sector)!.Value;
            Assert.True(
                registry[lower].Sectors(at, 1).SequenceEqual(data.AsSpan((int)sector * Sector.Size, Sector.Size)),
                $"sector {sector} is not at {lower} {at}");
        }
    }

    [Fact]
    public void What_was_written_is_there_after_a_new_start()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", Table);
        byte[] data = new byte[device.Size.Bytes];
        new Random(6).NextBytes(data);
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 0, data));
        registry.Registry.Remove(device);
        AssertNothingLeft(registry);
        device = registry.Create("m", Table);
        Assert.Equal(data, TestBio.Read(device, 0, device.Size.Value));
    }

    [Fact]
    public void A_write_that_must_be_durable_is_passed_down_so()
    {
        if (!KeepsFua)
        {
            return;
        }

        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", Table);
        foreach (FakeDevice lower in registry.Devices)
        {
            lower.Forget();
        }

        ulong block = device.Limits.LogicalBlockSize / Sector.Size;
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 0, new byte[block * Sector.Size], BioFlags.Fua));
        foreach (FakeDevice lower in registry.Devices.Where(d => d.Seen.Any(b => b.Operation == BioOperation.Write)))
        {
            Assert.True(
                lower.Seen.Where(b => b.Operation == BioOperation.Write).All(b => (b.Flags & BioFlags.Fua) != 0) || lower.Seen[^1].Operation == BioOperation.Flush,
                $"{lower.Name} got neither a durable write nor a flush after it");
        }
    }

    [Theory]
    [InlineData(BioStatus.IoError)]
    [InlineData(BioStatus.NoSpace)]
    [InlineData(BioStatus.Medium)]
    public void An_error_of_a_device_reaches_who_submitted_the_bio(BioStatus error)
    {
        if (!PassesErrors)
        {
            return;
        }

        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", Table);
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 0, new byte[device.Size.Bytes]));
        foreach (FakeDevice lower in registry.Devices)
        {
            lower.Answer = b => b.HasData ? error : BioStatus.Ok;
        }

        Assert.Equal(ErrorFor(error), TestBio.Do(device, BioOperation.Read, 0, device.Size.Value));
        Assert.Equal(ErrorFor(error), TestBio.Do(device, BioOperation.Write, 0, device.Size.Value));
        foreach (FakeDevice lower in registry.Devices)
        {
            lower.Answer = null;
        }
    }

    /// <summary>Several threads, each with verified I/O on a part of its own; parts meet at sectors that no target's blocks know of.</summary>
    private static void RunUsers(MappedDevice device, int count, int steps)
    {
        ulong block = device.Limits.LogicalBlockSize / Sector.Size;
        ulong part = device.Size.Value / block / (ulong)count * block;
        Threads.Run(count, u =>
        {
            VerifiedIo io = new(device, (ulong)u * part, part, u) { Discards = false };
            for (int i = 0; i < steps; i++)
            {
                io.Step();
            }

            io.CheckAll();
        });
    }
}
