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
        "0 1000 integrity a 0 4 D 1 internal_hash:hmac(sha256)",
        "0 4096 integrity a 0 4 D 1 internal_hash:crc32c",
        "0 1000 integrity a 0 8 D 1 internal_hash:crc32c",
    ];

    // A device whose blocks all have their tags: zeroes.
    protected override void AddDevices(TestRegistry registry)
    {
        registry.Add("a", 4096);
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
        Random random = new(2);
        byte[] read = new byte[Sector.Size];
        for (int round = 0; round < 100; round++)
        {
            int sector = random.Next(1000);
            // superblock 8, journal 176, tags 256: then data
            ref byte changed = ref registry["a"].Data[round % 2 == 0 ? ((440 + sector) * 512) + random.Next(512) : (184 * 512) + (sector * 4) + random.Next(4)];
            byte before = changed;
            changed ^= (byte)(1 << random.Next(8));
            Assert.Equal(BioStatus.Protection, TestBio.Read(device, (ulong)sector, read));
            changed = before;
            Assert.Equal(BioStatus.Ok, TestBio.Read(device, (ulong)sector, read));
        }

        Assert.Equal("100 3656 -", Assert.Single(device.TableTexts(arguments: false)).Text);
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
    protected override string Table =>
        "0 1000 integrity a 0 32 J 9 block_size:1024 journal_sectors:152 interleave_sectors:1024 buffer_sectors:128 journal_watermark:50 commit_time:10000 fix_padding fix_hmac internal_hash:hmac(sha256):00112233445566778899aabbccddeeff";

    [Fact]
    public void What_was_committed_to_the_journal_is_brought_to_its_place()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", Table);
        byte[] data = new byte[4096];
        new Random(5).NextBytes(data);
        byte[] before = [.. registry["a"].Data];
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 16, data));
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
        after.AsSpan(journal - 8, 4).CopyTo(registry["a"].Data.AsSpan(journal - 8));
        registry["a"].Data[journal - 1] ^= 0x55;
        device = registry.Create("m", Table);
        Assert.Equal(new byte[4096], TestBio.Read(device, 16, 8));
    }
}
