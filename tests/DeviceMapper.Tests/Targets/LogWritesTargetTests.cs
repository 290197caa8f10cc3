using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Targets.LogWrites;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

public sealed class LogWritesTargetTests : DataTargetConformance
{
    protected override string Table => "0 1000 log-writes a l";

    protected override IEnumerable<string> BadTables => ["0 1000 log-writes", "0 1000 log-writes a"];

    protected override IEnumerable<string> FlushReaches(TestRegistry registry) => ["a"];

    protected override void AddDevices(TestRegistry registry)
    {
        registry.Add("a", 1024);
        registry.Add("l", 4096);
    }

    /// <summary>As in the kernel, the log is written without.</summary>
    protected override bool KeepsFua => false;

    protected override (string Device, ulong Sector)? Place(ulong sector) => ("a", sector);

    [Fact]
    public void Writes_are_logged_when_a_flush_has_made_them_durable()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", Table);
        TestBio.Write(device, 8, Filled(1));
        Assert.Equal("0 0", device.TableTexts(arguments: false)[0].Text);
        TestBio.Flush(device);
        Assert.Equal("2 3", device.TableTexts(arguments: false)[0].Text);
        TestBio.Write(device, 9, Filled(2), BioFlags.Fua);
        TestBio.Write(device, 10, Filled(3));
        device.Message(default, "mark here");
        registry.Registry.Remove(device);
        Assert.Equal("8+1 None 1|0+0 Flush|9+1 Fua 2|0+0 Mark here|10+1 None 3|0+0 Mark dm-log-writes-end", Entries(registry["l"]));
    }

    [Fact]
    public void A_write_that_ends_after_the_flush_came_belongs_to_the_next_flush()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", Table);
        registry["a"].Holding = true;
        TestBio late = TestBio.Submit(device, BioOperation.Write, 1, 1, Filled(1));
        TestBio flush = TestBio.Submit(device, BioOperation.Flush, 0, 0);
        registry["a"].EndAll(latestFirst: true);
        Assert.True(late.Ended && flush.Ended);
        registry["a"].Holding = false;
        TestBio.Flush(device);
        registry.Registry.Remove(device);
        Assert.Equal("0+0 Flush|1+1 None 1|0+0 Flush|0+0 Mark dm-log-writes-end", Entries(registry["l"]));
    }

    [Fact]
    public void The_log_keeps_what_was_written_though_the_writer_reuses_its_memory()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", Table);
        TestBio write = TestBio.Submit(device, BioOperation.Write, 1, 1, Filled(1));
        write.Wait();
        write.Data.AsSpan().Fill(9);
        TestBio.Flush(device);
        Assert.Equal(1, registry["l"].Data[2 * Sector.Size]);
    }

    [Fact]
    public void A_write_that_must_be_durable_is_so_below()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", Table);
        TestBio.Write(device, 1, Filled(1), BioFlags.Fua);
        Assert.Equal(BioFlags.Fua, Assert.Single(registry["a"].Seen).Flags);
    }

    [Fact]
    public void A_full_log_ends_the_logging_and_the_device_goes_on()
    {
        using TestRegistry registry = new();
        registry.Add("a", 1024);
        registry.Add("l", 5);
        MappedDevice device = registry.Create("m", Table);
        for (ulong i = 0; i < 4; i++)
        {
            Assert.Equal(BioStatus.Ok, TestBio.Write(device, i, Filled(7), BioFlags.Fua));
        }

        Assert.EndsWith(" logging_disabled", device.TableTexts(arguments: false)[0].Text);
        Assert.Equal(4 * Sector.Size, registry["a"].Data.Count(b => b == 7));
        Assert.Contains(registry.Log.Lines, l => l.Contains("full"));
    }

    [Fact]
    public void The_super_block_counts_no_entry_that_is_not_written()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", Table);
        registry["l"].Forget();
        registry["l"].Holding = true;
        TestBio.Write(device, 1, Filled(1), BioFlags.Fua);
        TestBio.Write(device, 2, Filled(2), BioFlags.Fua);
        Assert.Equal([1UL], registry["l"].Seen.Select(b => b.Sector)); // the super block waits for the entry, the next entry for the super block
        registry["l"].EndAll();
        Assert.Equal([1UL, 0UL, 3UL, 0UL], registry["l"].Seen.Select(b => b.Sector));
        Assert.Equal(2UL, LogSuperBlock.Read(registry["l"].Data)!.Value.Entries);
        registry["l"].Holding = false;
    }

    private static byte[] Filled(byte value)
    {
        byte[] data = new byte[Sector.Size];
        data.AsSpan().Fill(value);
        return data;
    }

    /// <summary>The entries of a log of 512-byte blocks: sector, length, flags, and the first byte of the data or the mark's text.</summary>
    private static string Entries(FakeDevice log)
    {
        LogSuperBlock super = LogSuperBlock.Read(log.Data)!.Value;
        Assert.Equal((uint)Sector.Size, super.BlockSize);
        List<string> entries = [];
        int at = Sector.Size;
        for (ulong i = 0; i < super.Entries; i++)
        {
            ReadOnlySpan<byte> block = log.Data.AsSpan(at, Sector.Size);
            LogEntry entry = LogEntry.Read(block);
            at += Sector.Size;
            string what = (entry.Flags & LogFlags.Mark) != 0 ? $" {entry.MarkText(block)}" : entry.HasData ? $" {log.Data[at]}" : "";
            entries.Add($"{entry.Block}+{entry.Blocks} {entry.Flags}{what}");
            at += entry.HasData ? (int)entry.Blocks * Sector.Size : 0;
        }

        return string.Join('|', entries);
    }
}
