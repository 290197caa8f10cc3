using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

/// <summary>What integrity must do in each mode that writes.</summary>
public abstract class IntegrityConformance : DataTargetConformance
{
    protected override IEnumerable<string> BadTables =>
    [
        "0 1000 integrity",
        "0 1000 integrity a 0 4 D",
        "0 1000 integrity a 0 x D 0",
        "0 1000 integrity a 0 0 D 0",
        "0 1000 integrity a x 4 D 0",
        "0 1000 integrity a 0 4 Q 0",
        "0 1000 integrity a 0 - D 0",
        "0 1000 integrity a 0 4 D 1",
        "0 1000 integrity a 0 4 D 1 foo",
        "0 1000 integrity a 0 4 D 1 block_size:100",
        "0 1000 integrity a 0 4 D 1 allow_discards",
        "0 1000 integrity a 0 4 D 1 internal_hash:hmac(sha256):0",
        "0 1000 integrity a 0 4 D 1 internal_hash:crc32c:00",
        "0 1000 integrity a 0 4 B 0",
        "0 1000 integrity a 0 4 I 1 internal_hash:crc32c",
        "0 1000 integrity a 0 4 D 1 recalculate",
        "0 1000 integrity a 0 4 J 2 internal_hash:crc32c journal_crypt:cbc(aes):00",
        "0 1000 integrity a 0 4 J 2 internal_hash:crc32c journal_mac:hmac(sha256):zz",
        "0 4096 integrity a 0 4 D 1 internal_hash:crc32c",
        "0 1000 integrity a 0 8 D 1 internal_hash:crc32c",
    ];

    /// <summary>Waits until all tags have been made.</summary>
    protected static void WaitForTags(MappedDevice device) => Wait.Until(
        () => Assert.Single(device.TableTexts(arguments: false)).Text.Split(' ') is [_, var sectors, var made] && sectors == made, "all tags are made");

    /// <summary>Makes what the target has below, of the device a.</summary>
    protected virtual void AddBelow(TestRegistry registry)
    {
    }

    // A device whose blocks all have their tags: zeroes.
    protected override void AddDevices(TestRegistry registry)
    {
        registry.Add("a", 4096);
        AddBelow(registry);
        MappedDevice device = registry.Create("format", Table);
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 0, new byte[device.Size.Bytes]));
        registry.Registry.Remove(device);
    }
}

/// <summary>integrity without a journal.</summary>
public sealed class IntegrityTargetTests : IntegrityConformance
{
    protected override string Table => "0 1000 integrity a 0 4 D 4 journal_sectors:176 interleave_sectors:32768 buffer_sectors:128 internal_hash:crc32c";

    [Fact]
    public void A_bit_changed_in_data_or_tags_is_never_given_out()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", Table);
        byte[] data = new byte[device.Size.Bytes];
        new Random(1).NextBytes(data);
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 0, data));
        Assert.Equal(BioStatus.Ok, TestBio.Flush(device));
        Random random = new(2);
        byte[] read = new byte[Sector.Size];
        for (int round = 0; round < 100; round++)
        {
            int sector = random.Next(1000);
            // superblock 8, journal 176, tags 256: then data
            ref byte changed = ref registry["a"].Data[round % 2 == 0 ? ((440 + sector) * 512) + random.Next(512) : (184 * 512) + (sector * 4) + random.Next(4)];
            byte before = changed;
            changed ^= (byte)(1 << random.Next(8));
            registry.Registry.Remove(device); // whose tags are in memory
            device = registry.Create("m", Table);
            Assert.Equal(BioStatus.Protection, TestBio.Read(device, (ulong)sector, read));
            Assert.Equal("1 3656 -", Assert.Single(device.TableTexts(arguments: false)).Text);
            changed = before;
            registry.Registry.Remove(device);
            device = registry.Create("m", Table);
            Assert.Equal(BioStatus.Ok, TestBio.Read(device, (ulong)sector, read));
        }
    }

    [Fact]
    public void A_device_that_is_neither_blank_nor_formatted_is_left_alone()
    {
        using TestRegistry registry = new();
        registry.Add("a", 4096);
        registry["a"].Data[4000] = 1;
        DmException refusal = Assert.Throws<DmException>(() => registry.Create("m", Table));
        Assert.Equal(Errno.EINVAL, refusal.Errno);
        AssertIsSentence(refusal, Table);
        Assert.DoesNotContain(registry["a"].Seen, b => b.Operation == BioOperation.Write);
    }

    [Fact]
    public void A_damaged_superblock_is_told_and_never_crashes()
    {
        using TestRegistry registry = NewRegistry();
        byte[] good = registry["a"].Data[..512];
        Random random = new(4);
        for (int round = 0; round < 500; round++)
        {
            good.CopyTo(registry["a"].Data, 0);
            for (int n = random.Next(1, 6); n > 0; n--)
            {
                registry["a"].Data[random.Next(8, 64)] = (byte)random.Next(256);
            }

            MappedDevice device = registry.Registry.Create("m");
            try
            {
                device.LoadTable(Table);
            }
            catch (DmException e)
            {
                Assert.Equal(Errno.EINVAL, e.Errno);
            }

            registry.Registry.Remove(device);
        }
    }

    [Theory]
    [InlineData("hmac(sha256)", Errno.ENOKEY)]
    [InlineData("hmac(foo):00", Errno.ENOENT)]
    [InlineData("foo", Errno.ENOENT)]
    [InlineData("sha256:00", Errno.ENOSYS)]
    public void A_hash_and_a_key_that_do_not_go_together_are_refused(string hash, Errno errno)
    {
        using TestRegistry registry = NewRegistry();
        DmException refusal = Assert.Throws<DmException>(() => registry.Create("m", $"0 1000 integrity a 0 4 D 1 internal_hash:{hash}"));
        Assert.Equal(errno, refusal.Errno);
    }

    [Theory]
    [InlineData("4 D 1 internal_hash:crc32c", 1, 0)]
    [InlineData("4 D 2 internal_hash:crc32c fix_padding", 4, 8)]
    [InlineData("4 D 3 internal_hash:crc32c fix_padding fix_hmac", 5, 24)]
    [InlineData("4 D 2 internal_hash:crc32c recalculate", 2, 2)]
    [InlineData("4 J 2 internal_hash:crc32c journal_mac:crc32c", 1, 1)]
    public void The_superblock_of_a_blank_device_says_what_it_needs(string arguments, byte version, uint flags)
    {
        using TestRegistry registry = new();
        FakeDevice lower = registry.Add("a", 4096);
        registry.Registry.Create("m").LoadTable($"0 1000 integrity a 0 {arguments}");
        Assert.Equal("integrt\0"u8, lower.Data.AsSpan(0, 8));
        Assert.Equal(version, lower.Data[8]);
        Assert.Equal(flags, BitConverter.ToUInt32(lower.Data, 24));
    }

    [Fact]
    public void A_discarded_block_may_be_read()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", "0 1000 integrity a 0 4 D 2 allow_discards internal_hash:crc32c");
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Discard, 10, 500));
        registry["a"].Data[(440 + 20) * 512] ^= 1;
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Read, 0, 1000));
    }
}

/// <summary>integrity with a journal, large blocks and a keyed hash.</summary>
public sealed class IntegrityJournalTargetTests : IntegrityConformance
{
    // What was committed is durable already.
    protected override IEnumerable<string> FlushReaches(TestRegistry registry) => [];

    // Writes end in memory; a commit that fails lets everything fail.
    protected override bool PassesErrors => false;

    protected override string Table =>
        "0 1000 integrity a 0 32 J 9 block_size:1024 journal_sectors:152 interleave_sectors:1024 buffer_sectors:32 journal_watermark:50 commit_time:10000 fix_padding fix_hmac internal_hash:hmac(sha256):00112233445566778899aabbccddeeff";

    [Fact]
    public void What_was_committed_to_the_journal_is_brought_to_its_place()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", Table);
        byte[] data = new byte[4096];
        new Random(5).NextBytes(data);
        byte[] before = [.. registry["a"].Data];
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 16, data));
        Assert.Equal(BioStatus.Ok, TestBio.Flush(device));
        byte[] after = [.. registry["a"].Data];
        registry.Registry.Remove(device);

        // As a power cut leaves it: the journal is written, and nothing else.
        before.CopyTo(registry["a"].Data, 0);
        int journal = (8 + 152) * Sector.Size;
        after.AsSpan(0, journal).CopyTo(registry["a"].Data);
        device = registry.Create("m", Table);
        Assert.Equal(data, TestBio.Read(device, 16, 8));
        registry.Registry.Remove(device);

        // A torn section is not replayed.
        before.CopyTo(registry["a"].Data, 0);
        after.AsSpan(0, journal - Sector.Size).CopyTo(registry["a"].Data);
        device = registry.Create("m", Table);
        Assert.Equal(new byte[4096], TestBio.Read(device, 16, 8));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" journal_mac:hmac(sha256):0011 legacy_recalculate")]
    [InlineData(" journal_crypt:cbc(aes):000102030405060708090a0b0c0d0e0f")]
    [InlineData(" journal_crypt:ctr(aes):000102030405060708090a0b0c0d0e0f journal_mac:crc32c")]
    public void A_crash_at_any_write_loses_nothing_that_was_flushed(string options)
    {
        string table = $"0 512 integrity a 0 4 J {3 + options.Count(c => c == ' ')} internal_hash:crc32c journal_sectors:600 recalculate{options}";
        using TestRegistry registry = new();
        FakeDevice lower = registry.Add("a", 2048);
        MappedDevice device = registry.Create("m", table);
        WaitForTags(device);
        int[] versions = new int[512]; // of each sector, all written in one version
        int[] flushed = new int[512];
        List<(byte[] Device, int[] Flushed)> crashes = [];
        Random chance = new(4);
        lower.Answer = bio =>
        {
            if (bio.Operation == BioOperation.Write && crashes.Count < 40 && chance.Next(4) == 0)
            {
                crashes.Add(([.. lower.Data], Volatile.Read(ref flushed)));
            }

            return BioStatus.Ok;
        };
        Random random = new(3);
        for (int step = 1; step <= 300; step++)
        {
            int count = random.Next(1, 30);
            int sector = random.Next(0, 512 - count);
            Array.Fill(versions, step, sector, count);
            Assert.Equal(BioStatus.Ok, TestBio.Write(device, (ulong)sector, Filled(step, count)));
            if (step % 7 == 0)
            {
                Assert.Equal(BioStatus.Ok, TestBio.Flush(device));
                Volatile.Write(ref flushed, [.. versions]);
            }
        }

        registry.Registry.Remove(device);
        lower.Answer = null;
        Assert.True(crashes.Count > 10);
        foreach ((byte[] bytes, int[] least) in crashes)
        {
            bytes.CopyTo(lower.Data, 0);
            device = registry.Create("m", table);
            byte[] read = TestBio.Read(device, 0, 512);
            for (int sector = 0; sector < 512; sector++)
            {
                byte[] content = read[(sector * 512)..((sector + 1) * 512)];
                int version = BitConverter.ToInt32(content);
                Assert.True(version >= least[sector], $"sector {sector} has version {version}, and {least[sector]} was flushed");
                Assert.Equal(Filled(version, 1), content);
            }

            registry.Registry.Remove(device);
        }
    }

    private static byte[] Filled(int version, int sectors)
    {
        byte[] bytes = new byte[sectors * 512];
        for (int at = 0; at < bytes.Length; at += sizeof(int))
        {
            BitConverter.TryWriteBytes(bytes.AsSpan(at), version);
        }

        return bytes;
    }
}

/// <summary>integrity with a bitmap.</summary>
public sealed class IntegrityBitmapTargetTests : IntegrityConformance
{
    protected override string Table =>
        "0 1000 integrity a 0 4 B 6 journal_sectors:176 interleave_sectors:32768 buffer_sectors:128 sectors_per_bit:64 bitmap_flush_interval:10000 internal_hash:crc32c";

    [Fact]
    public void After_a_crash_the_tags_of_what_may_have_been_written_are_made_again()
    {
        using TestRegistry registry = NewRegistry();
        FakeDevice lower = registry["a"];
        MappedDevice device = registry.Create("m", Table);
        byte[] data = new byte[100 * 512];
        new Random(1).NextBytes(data);
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 200, data));
        byte[] crashed = [.. lower.Data];
        registry.Registry.Remove(device);

        // The data is there, and its tags are not: they were in memory only.
        crashed.CopyTo(lower.Data, 0);
        device = registry.Create("m", Table);
        WaitForTags(device);
        Assert.Equal(data, TestBio.Read(device, 200, 100));
        registry.Registry.Remove(device);

        // What the bitmap does not tell of is checked.
        crashed.CopyTo(lower.Data, 0);
        lower.Data[(8 + 176 + 256 + 900) * 512] ^= 1;
        device = registry.Create("m", Table);
        WaitForTags(device);
        Assert.Equal(BioStatus.Protection, TestBio.Do(device, BioOperation.Read, 900, 1));
        registry.Registry.Remove(device);

        // Another mode does the same, once.
        crashed.CopyTo(lower.Data, 0);
        device = registry.Create("m", Table.Replace(" B 6 ", " D 4 ", StringComparison.Ordinal).Replace("sectors_per_bit:64 bitmap_flush_interval:10000 ", "", StringComparison.Ordinal));
        WaitForTags(device);
        Assert.Equal(data, TestBio.Read(device, 200, 100));
    }

    [Fact]
    public void Bits_are_cleared_when_the_interval_is_over()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", Table);
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 0, new byte[512]));
        Assert.Equal(1, registry["a"].Data[4096]);
        Wait.Until(
            () =>
            {
                registry.Time.Advance(TimeSpan.FromSeconds(10)); // the interval may begin after the write has ended
                return Volatile.Read(ref registry["a"].Data[4096]) == 0;
            },
            "the bits are cleared");
    }
}

/// <summary>integrity whose tags lie beside the blocks of the device below, which is an integrity device that only keeps them.</summary>
public sealed class IntegrityInlineTargetTests : IntegrityConformance
{
    protected override bool NeedsItsDevices => false; // the device below has them

    protected override string Table => "0 1000 integrity /dev/mapper/l 0 4 I 4 journal_sectors:0 interleave_sectors:32768 buffer_sectors:128 internal_hash:crc32c";

    [Fact]
    public void A_bit_changed_in_data_or_tags_is_never_given_out()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", Table);
        MappedDevice below = registry.Registry.FindByName("l")!;
        byte[] data = new byte[device.Size.Bytes];
        Random random = new(1);
        random.NextBytes(data);
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 0, data));
        byte[] read = new byte[Sector.Size];
        for (int round = 1; round <= 50; round++)
        {
            ulong sector = (ulong)random.Next(1000);
            byte[] block = TestBio.Read(below, 8 + sector, 1);
            block[random.Next(Sector.Size)] ^= (byte)(1 << random.Next(8));
            Assert.Equal(BioStatus.Ok, TestBio.Write(below, 8 + sector, block)); // whose tag stays as it was
            Assert.Equal(BioStatus.Protection, TestBio.Read(device, sector, read));
            Assert.Equal($"{round} 3520 -", Assert.Single(device.TableTexts(arguments: false)).Text);
            Assert.Equal(BioStatus.Ok, TestBio.Write(device, sector, data.AsSpan((int)sector * Sector.Size, Sector.Size)));
        }

        Assert.Equal(data, TestBio.Read(device, 0, 1000));
    }

    [Theory]
    [InlineData("/dev/mapper/l 0 5 I 1 internal_hash:crc32c", "the 4 bytes that the device keeps")]
    [InlineData("/dev/mapper/l 0 4 I 2 internal_hash:crc32c block_size:4096", "see block_size")]
    [InlineData("/dev/mapper/l 0 4 I 2 internal_hash:crc32c allow_discards", "takes no discards")]
    [InlineData("/dev/mapper/l 0 4 I 0", "needs internal_hash")]
    [InlineData("a 0 4 I 1 internal_hash:crc32c", "as integrity without internal_hash does")]
    public void A_device_that_does_not_fit_is_refused(string arguments, string reason)
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Registry.Create("m");
        DmException refusal = Assert.Throws<DmException>(() => device.LoadTable($"0 1000 integrity {arguments}"));
        Assert.Equal(Errno.EINVAL, refusal.Errno);
        Assert.Contains(reason, refusal.Message);
    }

    protected override string Printed(TestRegistry registry) =>
        Table.Replace("/dev/mapper/l", registry.Registry.FindByName("l")!.Number.ToString(), StringComparison.Ordinal);

    protected override void AssertNothingLeft(TestRegistry registry) => Assert.Equal(0, registry.Registry.FindByName("l")!.OpenCount);

    protected override void AddBelow(TestRegistry registry) => registry.Create("l", "0 3528 integrity a 0 4 D 3 journal_sectors:176 interleave_sectors:32768 buffer_sectors:128");
}
