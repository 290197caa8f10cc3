using System.Buffers.Binary;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

public sealed class SnapshotTargetTests : DataTargetConformance
{
    private const string Line = "0 1024 snapshot o c P 8";

    protected override string Table => Line;

    protected override IEnumerable<string> BadTables =>
    [
        "0 1024 snapshot",
        "0 1024 snapshot o c P",
        "0 1024 snapshot o o P 8",
        "0 1024 snapshot o c X 8",
        "0 1024 snapshot o c PX 8",
        "0 1024 snapshot o c P 9",
        "0 1024 snapshot o c P 4194304",
        "0 1024 snapshot o c P 8 1",
        "0 1024 snapshot o c P 8 1 other",
        "0 1024 snapshot o c P 8 1 discard_passdown_origin",
    ];

    protected override BioStatus ErrorFor(BioStatus below) => BioStatus.IoError;

    protected override bool PassesErrors => false; // an error makes it invalid, or is one of a copy

    protected override bool KeepsFua => false; // the metadata is durable before; the data by the write itself

    protected override IEnumerable<string> FlushReaches(TestRegistry registry) => ["c"];

    protected override void AddDevices(TestRegistry registry)
    {
        registry.Add("o", 1024);
        registry.Add("c", 2048);
    }

    [Fact]
    public void Writes_to_the_origin_do_not_change_it()
    {
        using TestRegistry registry = NewRegistry();
        byte[] before = Fill(registry["o"], 1);
        MappedDevice origin = registry.Create("origin", "0 1024 snapshot-origin o");
        MappedDevice snapshot = registry.Create("m", Line);
        Assert.Equal(BioStatus.Ok, TestBio.Write(origin, 3, Noise(2, 30)));
        Assert.Equal(before, TestBio.Read(snapshot, 0, 1024));
        Assert.Equal(Noise(2, 30), TestBio.Read(origin, 3, 30));
        Assert.Equal("56/2048 16", snapshot.TableTexts(false)[0].Text);
    }

    [Fact]
    public void A_chunk_that_is_written_whole_is_not_copied()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice snapshot = registry.Create("m", Line);
        registry["o"].Forget();
        Assert.Equal(BioStatus.Ok, TestBio.Write(snapshot, 8, Noise(1, 8)));
        Assert.Empty(registry["o"].Seen);
        Assert.Equal(BioStatus.Ok, TestBio.Write(snapshot, 17, Noise(1, 1)));
        Assert.Equal([new SeenBio(BioOperation.Read, 16, 8, BioFlags.None)], registry["o"].Seen);
    }

    [Fact]
    public void A_chunk_is_copied_once_however_many_writes_wait_for_it()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice origin = registry.Create("origin", "0 1024 snapshot-origin o");
        registry.Create("m", Line);
        registry["c"].Holding = true;
        TestBio[] bios = [.. Enumerable.Range(0, 8).Select(i => TestBio.Submit(origin, BioOperation.Write, (ulong)i, 1))];
        TestBio other = TestBio.Submit(origin, BioOperation.Write, 64, 1);
        Assert.All(bios, b => Assert.False(b.Ended));
        Assert.Equal(2, registry["c"].Held.Count); // two chunks side by side
        registry["c"].EndAll();
        Assert.All([.. bios, other], b => Assert.Equal(BioStatus.Ok, b.Wait()));
        Assert.Equal(2, registry["o"].Seen.Count(b => b.Operation == BioOperation.Read));
    }

    [Fact]
    public void The_origin_is_not_overwritten_before_reads_of_the_snapshot_have_ended()
    {
        using TestRegistry registry = NewRegistry();
        byte[] before = Fill(registry["o"], 1);
        MappedDevice origin = registry.Create("origin", "0 1024 snapshot-origin o");
        MappedDevice snapshot = registry.Create("m", Line);
        registry["o"].Holding = true;
        TestBio read = TestBio.Submit(snapshot, BioOperation.Read, 0, 8);
        TestBio write = TestBio.Submit(origin, BioOperation.Write, 0, 8, Noise(2, 8));
        Bio[] held = [.. registry["o"].Held];
        Assert.Equal(2, held.Length); // the read, and that of the copy
        registry["o"].End(held[1]);
        Assert.DoesNotContain(registry["o"].Held, b => b.Operation == BioOperation.Write);
        registry["o"].End(held[0]);
        registry["o"].EndAll();
        Assert.Equal(BioStatus.Ok, write.Wait());
        Assert.Equal(BioStatus.Ok, read.Wait());
        Assert.Equal(before[..(8 * Sector.Size)], read.Data);
    }

    [Theory]
    [InlineData("P", "Invalid")]
    [InlineData("PO", "Overflow")]
    [InlineData("N", "Invalid")]
    public void A_full_COW_device_ends_it(string store, string status)
    {
        using TestRegistry registry = new();
        registry.Add("o", 1024);
        registry.Add("c", 64);
        MappedDevice snapshot = registry.Create("m", $"0 1024 snapshot o c {store} 8");
        List<BioStatus> ends = [];
        for (ulong at = 0; at < 80; at += 8)
        {
            ends.Add(TestBio.Write(snapshot, at, Noise((int)at, 8)));
        }

        Assert.Contains(BioStatus.IoError, ends);
        Assert.Equal(status, snapshot.TableTexts(false)[0].Text);
        Assert.Equal(status == "Overflow" ? BioStatus.Ok : BioStatus.IoError, TestBio.Do(snapshot, BioOperation.Read, 0, 8));
        if (store == "P")
        {
            Assert.Equal(0u, BinaryPrimitives.ReadUInt32LittleEndian(registry["c"].Data.AsSpan(4)));
        }
    }

    [Fact]
    public void The_origin_goes_on_when_the_snapshot_is_full_but_not_before_the_COW_device_says_so()
    {
        using TestRegistry registry = new();
        registry.Add("o", 1024);
        registry.Add("c", 16);
        MappedDevice origin = registry.Create("origin", "0 1024 snapshot-origin o");
        MappedDevice snapshot = registry.Create("m", Line);
        registry["c"].Holding = true;
        registry["o"].Forget();
        TestBio write = TestBio.Submit(origin, BioOperation.Write, 0, 8);
        Assert.False(write.Ended);
        Assert.Empty(registry["o"].Seen);
        registry["c"].EndAll();
        Assert.Equal(BioStatus.Ok, write.Wait());
        Assert.Equal("Invalid", snapshot.TableTexts(false)[0].Text);
    }

    [Fact]
    public void A_reload_takes_the_exceptions_over()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice snapshot = registry.Create("m", "0 1024 snapshot o c N 8");
        Assert.Equal(BioStatus.Ok, TestBio.Write(snapshot, 5, Noise(1, 100)));
        snapshot.LoadTable("0 1024 snapshot o c N 8");
        Assert.Equal("0/2048 0", snapshot.TableTexts(false, inactive: true)[0].Text);
        snapshot.Resume();
        Assert.Equal(Noise(1, 100), TestBio.Read(snapshot, 5, 100));
        Assert.Equal("0 1024 snapshot o c N 8", TestRegistry.TableOf(snapshot));
    }

    [Fact]
    public void Another_device_takes_it_over_only_from_one_that_is_suspended()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice first = registry.Create("m", Line);
        Assert.Equal(BioStatus.Ok, TestBio.Write(first, 5, Noise(1, 100)));
        MappedDevice second = registry.Registry.Create("n");
        second.LoadTable(Line);
        DmException refusal = Assert.Throws<DmException>(() => second.Resume());
        Assert.Equal(Errno.EINVAL, refusal.Errno);
        AssertIsSentence(refusal, Line);
        first.Suspend();
        second.Resume();
        Assert.Equal(Noise(1, 100), TestBio.Read(second, 5, 100));
        first.Resume();
        Assert.Equal("Invalid", first.TableTexts(false)[0].Text);
        Assert.Equal(BioStatus.IoError, TestBio.Do(first, BioOperation.Read, 0, 8));
        registry.Registry.Remove(first);
        Assert.Equal(Noise(1, 100), TestBio.Read(second, 5, 100));
    }

    [Fact]
    public void Exceptions_of_many_areas_are_read_back()
    {
        using TestRegistry registry = new();
        registry.Add("o", 1024);
        registry.Add("c", 4096);
        MappedDevice snapshot = registry.Create("m", "0 1024 snapshot o c P 1");
        byte[] data = Noise(3, 1024);
        for (ulong at = 0; at < 1024; at += 8)
        {
            Assert.Equal(BioStatus.Ok, TestBio.Write(snapshot, at, data.AsSpan((int)at * 512, 8 * 512)));
        }

        Assert.Equal($"{1024 + 1 + 33}/4096 {33 + 1}", snapshot.TableTexts(false)[0].Text);
        registry.Registry.Remove(snapshot);
        snapshot = registry.Create("m", "0 1024 snapshot o c P 0");
        Assert.Equal("0 1024 snapshot o c P 1", TestRegistry.TableOf(snapshot));
        Assert.Equal(data, TestBio.Read(snapshot, 0, 1024));
    }

    [Theory]
    [InlineData(0, 0xff)]
    [InlineData(4, 0)]
    [InlineData(8, 2)]
    [InlineData(12, 0)]
    [InlineData(12, 3)]
    [InlineData(15, 0x7f)]
    public void A_damaged_header_is_an_error_or_an_invalid_snapshot(int at, byte value)
    {
        using TestRegistry registry = NewRegistry();
        registry.Registry.Remove(registry.Create("m", Line));
        registry["c"].Data[at] = value;
        try
        {
            MappedDevice snapshot = registry.Create("m", Line);
            Assert.Equal("Invalid", snapshot.TableTexts(false)[0].Text);
        }
        catch (DmException refusal)
        {
            AssertIsSentence(refusal, Line);
            registry.AssertNothingLeft();
        }
    }

    [Fact]
    public void Discards_zero_whole_chunks_of_the_COW_device()
    {
        using TestRegistry registry = NewRegistry();
        Fill(registry["o"], 1);
        MappedDevice snapshot = registry.Create("m", "0 1024 snapshot o c P 8 1 discard_zeroes_cow");
        Assert.Equal(BioStatus.Ok, TestBio.Write(snapshot, 0, Noise(2, 32)));
        Assert.Equal(BioStatus.Ok, TestBio.Do(snapshot, BioOperation.Discard, 4, 40));
        byte[] now = TestBio.Read(snapshot, 0, 48);
        Assert.Equal(Noise(2, 32)[..(4 * 512)], now[..(4 * 512)]);
        Assert.True(now.AsSpan(4 * 512, 4 * 512).IndexOfAnyExcept((byte)0xDD) < 0); // a part of a chunk: a discard of the COW device
        Assert.True(now.AsSpan(8 * 512, 24 * 512).IndexOfAnyExcept((byte)0) < 0);
        Assert.Equal(registry["o"].Sectors(32, 16).ToArray(), now[(32 * 512)..]); // no exception: stays the origin's
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Origin_and_snapshots_hold_what_a_model_says(int seed)
    {
        using TestRegistry registry = new();
        using ShufflingThread later = new(seed);
        FakeDevice o = registry.Add("o", 512);
        Random random = new(seed);
        MappedDevice origin = registry.Create("origin", "0 512 snapshot-origin o");
        List<(MappedDevice Device, byte[] Model)> volumes = [(origin, Fill(o, seed))];
        for (int i = 0; i < 4; i++)
        {
            FakeDevice cow = registry.Add($"c{i}", 4096);
            cow.Later = later;
            o.Later = later;
            MappedDevice snapshot = registry.Create($"s{i}", $"0 512 snapshot o c{i} {(i % 2 == 0 ? "P" : "N")} {4 << i}");
            volumes.Add((snapshot, [.. volumes[0].Model]));
            for (int round = 0; round < 40; round++)
            {
                List<TestBio> bios = [];
                HashSet<(int Volume, int Sector)> busy = [];
                for (int n = 0; n < 12; n++)
                {
                    int v = random.Next(volumes.Count), count = random.Next(1, 40), at = random.Next(512 - count);
                    if (Enumerable.Range(at, count).Any(s => busy.Contains((v, s))))
                    {
                        continue;
                    }

                    busy.UnionWith(Enumerable.Range(at, count).Select(s => (v, s)));
                    byte[] data = new byte[count * 512];
                    random.NextBytes(data);
                    data.CopyTo(volumes[v].Model, at * 512);
                    bios.Add(TestBio.Submit(volumes[v].Device, BioOperation.Write, (ulong)at, (ulong)count, data));
                }

                Assert.All(bios, b => Assert.Equal(BioStatus.Ok, b.Wait()));
                if (round % 10 == 0 && volumes.Count > 2)
                {
                    TestRegistry.Swap(volumes[1].Device, TestRegistry.TableOf(volumes[1].Device));
                }
            }

            Assert.All(volumes, v => Assert.Equal(v.Model, TestBio.Read(v.Device, 0, 512)));
        }
    }

    /// <summary>
    /// At every write to a device, the power goes: what was not flushed is lost, or is there. The snapshot must be what the origin was, or invalid.
    /// </summary>
    [Theory]
    [InlineData(1, 4096)]
    [InlineData(2, 4096)]
    [InlineData(3, 160)]
    public void After_a_power_cut_it_still_shows_what_the_origin_was(int seed, int cowSectors)
    {
        using TestRegistry registry = new();
        FakeDevice o = registry.Add("o", 512);
        FakeDevice c = registry.Add("c", (ulong)cowSectors);
        byte[] before = Fill(o, seed);
        MappedDevice origin = registry.Create("origin", "0 512 snapshot-origin o");
        registry.Create("m", "0 512 snapshot o c P 2");
        byte[] durableO = [.. o.Data], durableC = [.. c.Data];
        List<(byte[] O, byte[] C)> cuts = [];
        Observe(o, durableO);
        Observe(c, durableC);
        Random random = new(seed);
        for (int i = 0; i < 60; i++)
        {
            int count = random.Next(1, 12), at = random.Next(512 - count);
            Assert.Equal(BioStatus.Ok, TestBio.Write(origin, (ulong)at, Noise(i, count)));
        }

        o.Answer = c.Answer = null;
        Assert.True(cuts.Count > 100);
        foreach ((byte[] originData, byte[] cowData) in cuts)
        {
            using TestRegistry after = new();
            originData.CopyTo(after.Add("o", 512).Data, 0);
            cowData.CopyTo(after.Add("c", (ulong)cowSectors).Data, 0);
            MappedDevice snapshot = after.Create("m", "0 512 snapshot o c P 2");
            if (snapshot.TableTexts(false)[0].Text != "Invalid")
            {
                Assert.Equal(before, TestBio.Read(snapshot, 0, 512));
            }
        }

        void Observe(FakeDevice device, byte[] durable) => device.Answer = bio =>
        {
            if (bio.Operation == BioOperation.Flush)
            {
                device.Data.CopyTo(durable, 0);
            }
            else if (bio.Operation == BioOperation.Write)
            {
                cuts.Add(([.. o.Data], [.. c.Data])); // everything that was written before is there
                cuts.Add(([.. o.Data], [.. durableC])); // of the COW device only what is durable
                if ((bio.Flags & BioFlags.Fua) != 0)
                {
                    bio.Buffer.CopyTo(durable.AsSpan((int)bio.Sector.Bytes, bio.Buffer.Length));
                }
            }

            return BioStatus.Ok;
        };
    }

    internal static byte[] Noise(int seed, int sectors)
    {
        byte[] data = new byte[sectors * Sector.Size];
        new Random(seed).NextBytes(data);
        return data;
    }

    internal static byte[] Fill(FakeDevice device, int seed)
    {
        new Random(seed).NextBytes(device.Data);
        return [.. device.Data];
    }
}
