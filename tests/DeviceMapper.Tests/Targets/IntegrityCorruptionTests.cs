using System.Globalization;
using System.Text.RegularExpressions;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

/// <summary>integrity after a single bit has changed somewhere: what is read was written, or it is not read.</summary>
public sealed class IntegrityCorruptionTests
{
    private const int Sectors = 256;
    private const int JournalSectors = 176;
    private const int Superblock = 8 * Sector.Size;
    private const int Journal = JournalSectors * Sector.Size;

    /// <summary>In a journal that a crash left full: a block has what was written last, or before, or the read or the device fails.</summary>
    [Theory]
    [InlineData("J 3 internal_hash:crc32c")]
    [InlineData("J 4 internal_hash:crc32c journal_mac:hmac(sha256):0011")]
    [InlineData("J 5 internal_hash:sha256 journal_crypt:cbc(aes):000102030405060708090a0b0c0d0e0f journal_mac:hmac(sha256):0011")]
    [InlineData("J 4 internal_hash:crc32c block_size:4096")]
    public void A_bit_of_the_journal(string arguments)
    {
        using TestRegistry registry = NewRegistry(out FakeDevice lower);
        string table = Table(arguments);
        byte[] old = Written(1), replaced = Written(2);
        MappedDevice device = Create(registry, table, old);
        registry.Registry.Remove(device);
        device = registry.Create("m", table);
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 16, replaced.AsSpan(16 * Sector.Size, 64 * Sector.Size)));
        Assert.Equal(BioStatus.Ok, TestBio.Flush(device));
        byte[] crashed = [.. lower.Data];
        registry.Registry.Remove(device);

        crashed.CopyTo(lower.Data, 0);
        device = registry.Create("m", table);
        Assert.Equal(replaced[(16 * Sector.Size)..(80 * Sector.Size)], TestBio.Read(device, 16, 64)); // so there is something to damage
        registry.Registry.Remove(device);

        Random random = new(arguments.Length);
        for (int round = 0; round < 50; round++)
        {
            crashed.CopyTo(lower.Data, 0);
            int at = Superblock + random.Next(Journal);
            lower.Data[at] ^= (byte)(1 << random.Next(8));
            ReadAll(registry, table, old, replaced, $"byte {at}");
        }
    }

    /// <summary>In the superblock: the table is refused, or a block has what was written, or its read fails.</summary>
    [Theory]
    [InlineData("D 3 internal_hash:crc32c")]
    [InlineData("J 4 internal_hash:sha256 fix_padding")]
    [InlineData("J 6 internal_hash:hmac(sha256):22 fix_padding fix_hmac journal_mac:hmac(sha256):0011")]
    [InlineData("B 4 internal_hash:crc32c sectors_per_bit:32")]
    public void A_bit_of_the_superblock(string arguments)
    {
        using TestRegistry registry = NewRegistry(out FakeDevice lower);
        string table = Table(arguments);
        byte[] data = Written(1);
        MappedDevice device = Create(registry, table, data);
        registry.Registry.Remove(device);
        byte[] good = [.. lower.Data];
        Random random = new(arguments.Length);
        for (int round = 0; round < 100; round++)
        {
            int bit = random.Next(64 * 8); // of all that has a meaning
            good.CopyTo(lower.Data, 0);
            lower.Data[bit / 8] ^= (byte)(1 << (bit % 8));
            bool refused = !ReadAll(registry, table, data, data, $"bit {bit}");
            Assert.True(refused || !arguments.Contains("fix_hmac", StringComparison.Ordinal), $"bit {bit} of an authenticated superblock does not matter");
        }
    }

    /// <summary>In data and tags, in every mode that checks.</summary>
    [Theory]
    [InlineData("D 3 internal_hash:crc32c")]
    [InlineData("J 4 internal_hash:sha256 fix_padding")]
    [InlineData("B 4 internal_hash:xxhash64 sectors_per_bit:32")]
    [InlineData("D 5 internal_hash:hmac(sha256):22 fix_padding fix_hmac block_size:4096")]
    public void A_bit_of_data_or_tags(string arguments)
    {
        using TestRegistry registry = NewRegistry(out FakeDevice lower);
        string table = Table(arguments);
        byte[] data = Written(1);
        MappedDevice device = Create(registry, table, data);
        Match shown = Regex.Match(TestRegistry.TableOf(device), "integrity a 0 ([0-9]+) .* journal_sectors:([0-9]+) ");
        int tags = Superblock + (int.Parse(shown.Groups[2].Value, CultureInfo.InvariantCulture) * Sector.Size);
        int tagBytes = int.Parse(shown.Groups[1].Value, CultureInfo.InvariantCulture) * data.Length / (int)device.Limits.LogicalBlockSize;
        registry.Registry.Remove(device);
        byte[] good = [.. lower.Data];
        int start = good.AsSpan().IndexOf(data);
        Assert.True(start > tags);
        Random random = new(arguments.Length);
        for (int round = 0; round < 50; round++)
        {
            good.CopyTo(lower.Data, 0);
            int at = round % 2 == 0 ? start + random.Next(data.Length) : tags + random.Next(tagBytes);
            lower.Data[at] ^= (byte)(1 << random.Next(8));
            Assert.False(ReadAll(registry, table, data, data, $"byte {at}"), $"byte {at} was changed, and all could be read");
        }
    }

    private static TestRegistry NewRegistry(out FakeDevice lower)
    {
        TestRegistry registry = new();
        lower = registry.Add("a", 4096);
        lower.Recording = false;
        return registry;
    }

    /// <summary>Makes the device, and writes to it.</summary>
    private static MappedDevice Create(TestRegistry registry, string table, byte[] data)
    {
        MappedDevice device = registry.Create("m", table);
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 0, data));
        return device;
    }

    private static string Table(string arguments) => $"0 {Sectors} integrity a 0 - {arguments} journal_sectors:{JournalSectors} interleave_sectors:{Sectors}";

    /// <summary>Opens the device and reads its blocks, each of which may fail.</summary>
    /// <returns>Whether everything was read.</returns>
    private static bool ReadAll(TestRegistry registry, string table, byte[] old, byte[] replaced, string what)
    {
        MappedDevice device = registry.Registry.Create("m");
        try
        {
            device.LoadTable(table);
            device.Resume();
        }
        catch (DmException e)
        {
            Assert.True(e.Errno is Errno.EINVAL or Errno.EILSEQ, $"{what}: {e.Errno}, {e.Message}");
            registry.Registry.Remove(device);
            return false;
        }

        bool all = true;
        byte[] read = new byte[4096];
        for (int sector = 0; sector < Sectors; sector += 8)
        {
            BioStatus status = TestBio.Read(device, (ulong)sector, read);
            all &= status == BioStatus.Ok;
            for (int i = 0; status == BioStatus.Ok && i < 8; i++)
            {
                Range place = ((sector + i) * Sector.Size)..((sector + i + 1) * Sector.Size);
                ReadOnlySpan<byte> content = read.AsSpan(i * Sector.Size, Sector.Size);
                Assert.True(content.SequenceEqual(old[place]) || content.SequenceEqual(replaced[place]), $"{what}: sector {sector + i} was read as good, and has what nobody wrote");
            }
        }

        registry.Registry.Remove(device);
        return all;
    }

    private static byte[] Written(int seed)
    {
        byte[] data = new byte[Sectors * Sector.Size];
        new Random(seed).NextBytes(data);
        return data;
    }
}
