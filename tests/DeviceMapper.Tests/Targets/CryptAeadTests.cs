using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

/// <summary>crypt that authenticates, over an integrity device that keeps its tags.</summary>
public sealed class CryptAeadTests
{
    private const string Key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    private const int Sectors = 1024;

    /// <summary>Mode and tag of the device below, cipher, bytes of the key, tag and option.</summary>
    public static TheoryData<char, int, string, int, string> Ciphers => new()
    {
        { 'D', 48, "capi:authenc(hmac(sha256),xts(aes))-random", 96, "integrity:48:aead" },
        { 'J', 50, "capi:authenc(hmac(sha256),xts(aes))-plain64", 96, "integrity:32:aead" },
        { 'D', 32, "capi:authenc(hmac(sha256),cbc(aes))-essiv:sha256", 64, "integrity:32:aead" },
        { 'J', 28, "capi:gcm(aes)-random", 32, "integrity:28:aead" },
        { 'D', 28, "capi:rfc7539(chacha20,poly1305)-random", 32, "integrity:28:aead" },
        { 'D', 40, "capi:authenc(hmac(sha256),xts(aes))-plain64", 96, "integrity:32:aead sector_size:4096" },
        { 'D', 24, "capi:rfc4106(gcm(aes))-random", 36, "integrity:24:aead" },
        { 'J', 16, "capi:rfc4309(ccm(aes))-plain64", 35, "integrity:16:aead" },
        { 'D', 24, "capi:rfc7539esp(chacha20,poly1305)-random", 36, "integrity:24:aead" },
        { 'J', 32, "capi:aegis128-random", 16, "integrity:32:aead" },
        { 'D', 16, "capi:aegis128-plain64", 16, "integrity:16:aead sector_size:4096" },
        { 'D', 24, "capi:rfc4543(gcm(aes))-random", 36, "integrity:24:aead" },
        { 'D', 48, "capi:authenc(hmac(sha256),hctr2(aes))-plain64", 64, "integrity:32:aead" },
    };

    [Theory]
    [MemberData(nameof(Ciphers))]
    public void Random_I_O_reads_what_was_written(char mode, int below, string cipher, int keySize, string option)
    {
        using TestRegistry registry = NewRegistry();
        using ShufflingThread shuffling = new(3);
        MappedDevice device = Create(registry, mode, below, cipher, keySize, option);
        registry["a"].Later = shuffling;
        registry["a"].Recording = false;
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 0, new byte[Sectors * Sector.Size])); // before, sectors have no tags
        VerifiedIo io = new(device, 0, Sectors, 1) { Largest = 256 };
        for (int i = 0; i < 200; i++)
        {
            io.Step();
        }

        io.CheckAll();
        Close(device, registry);
        Assert.Equal(BioStatus.Ok, TestBio.Do(Create(registry, mode, below, cipher, keySize, option), BioOperation.Read, 0, Sectors));
    }

    [Theory]
    [MemberData(nameof(Ciphers))]
    public void A_changed_bit_is_never_returned_as_good(char mode, int below, string cipher, int keySize, string option)
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = Create(registry, mode, below, cipher, keySize, option);
        byte[] data = new byte[Sectors * Sector.Size];
        Random random = new(5);
        random.NextBytes(data);
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 0, data));
        Close(device, registry);
        byte[] disk = registry["a"].Data.ToArray();
        int block = (int)registry.Create("i", IntegrityTable(mode, below, option)).Limits.LogicalBlockSize;
        registry.Registry.Remove(registry.Registry.FindByName("i")!);
        int found = 0;
        for (int i = 0; i < 150; i++)
        {
            disk.CopyTo(registry["a"].Data.AsSpan());
            int bit = random.Next(disk.Length * 8);
            if (disk[bit / 8] == 0 || bit < 4096 * 8)
            {
                continue; // unused space, or the superblock
            }

            registry["a"].Data[bit / 8] ^= (byte)(1 << (bit % 8));
            device = Create(registry, mode, below, cipher, keySize, option);
            TestBio all = TestBio.Submit(device, BioOperation.Read, 0, Sectors);
            BioStatus status = all.Wait();
            Assert.True(status == BioStatus.Protection || (status == BioStatus.Ok && data.AsSpan().SequenceEqual(all.Data)), $"bit {bit}: {status}");
            found += status == BioStatus.Protection ? 1 : 0;
            for (int sector = 0; status != BioStatus.Ok && sector < Sectors; sector += block / Sector.Size)
            {
                TestBio one = TestBio.Submit(device, BioOperation.Read, (ulong)sector, (ulong)(block / Sector.Size));
                bool good = one.Wait() == BioStatus.Ok;
                Assert.True(!good || data.AsSpan(sector * Sector.Size, block).SequenceEqual(one.Data), $"bit {bit}, sector {sector}");
            }

            Close(device, registry);
        }

        Assert.InRange(found, 10, 150);
    }

    [Fact]
    public void A_sector_that_was_moved_is_not_returned()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = Create(registry, 'D', 48, "capi:authenc(hmac(sha256),xts(aes))-random", 96, "integrity:48:aead");
        byte[] data = new byte[16 * Sector.Size];
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 0, data));
        Close(device, registry);

        // A target that starts elsewhere on the same device sees the same sectors, with their tags, under other numbers.
        registry.Create("i", IntegrityTable('D', 48, string.Empty));
        MappedDevice moved = registry.Create("m", $"0 8 crypt capi:authenc(hmac(sha256),xts(aes))-random {Key}{Key}{Key} 0 /dev/mapper/i 10 1 integrity:48:aead");
        Assert.Equal(BioStatus.Protection, TestBio.Do(moved, BioOperation.Read, 0, 1));
        Assert.Contains(registry.Log.Lines, line => line.Contains("m: sector 0 is not what was written", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData('D', "0 1500 linear /dev/mapper/i 8")]
    [InlineData('J', "0 333 linear /dev/mapper/i 1000\n333 500 linear /dev/mapper/i 17\n833 667 linear /dev/mapper/i 1380")]
    [InlineData('D', "0 1500 striped 3 4 /dev/mapper/i 3 /dev/mapper/i 603 /dev/mapper/i 1203")]
    [InlineData('J', "0 1500 delay /dev/mapper/i 5 0")]
    [InlineData('D', "0 1500 multipath 2 queue_mode bio 0 1 1 round-robin 0 1 0 /dev/mapper/i")]
    public void Tags_go_with_their_data_through_targets_between(char mode, string table)
    {
        using TestRegistry registry = NewRegistry();
        using ShufflingThread shuffling = new(7);
        registry.Create("i", IntegrityTable(mode, 32, string.Empty));
        registry["a"].Later = shuffling;
        registry["a"].Recording = false;
        MappedDevice between = registry.Create("n", table);
        Assert.Equal(new IntegrityProfile(32, 512), between.Limits.Integrity);
        Assert.Equal(BioStatus.Ok, TestBio.Write(between, 0, new byte[4096])); // a superblock lies there
        MappedDevice[] above =
        [
            registry.Create("c", $"0 700 crypt capi:gcm(aes)-random {Key} 0 /dev/mapper/n 0 1 integrity:28:aead"),
            registry.Create("t", "0 700 integrity /dev/mapper/n 750 32 I 1 internal_hash:sha256"),
        ];
        foreach (MappedDevice device in above)
        {
            Assert.Equal(BioStatus.Ok, TestBio.Write(device, 0, new byte[700 * Sector.Size]));
            VerifiedIo io = new(device, 0, 700, 1) { Largest = 256 };
            for (int i = 0; i < 200; i++)
            {
                io.Step();
            }

            io.CheckAll();
        }

        byte[] moved = TestBio.Read(between, 11, 1);
        Assert.Equal(BioStatus.Ok, TestBio.Write(between, 10, moved)); // without its tag
        Assert.Equal(BioStatus.Protection, TestBio.Do(above[0], BioOperation.Read, 10, 1));
        Assert.Equal(BioStatus.Ok, TestBio.Do(above[0], BioOperation.Read, 11, 500));
    }

    [Theory]
    [InlineData("0 64 linear /dev/mapper/i 0\n64 64 linear a 4000", true)]
    [InlineData("0 64 linear a 4000\n64 64 linear /dev/mapper/i 0", true)]
    [InlineData("0 64 linear /dev/mapper/i 0\n64 64 error", true)]
    [InlineData("0 64 linear /dev/mapper/i 0\n64 64 zero", false)]
    [InlineData("0 128 striped 2 4 /dev/mapper/i 0 a 4000", false)]
    [InlineData("0 128 flakey /dev/mapper/i 0 100 0", false)]
    public void A_table_whose_targets_do_not_all_have_the_same_tags_has_none(string table, bool warns)
    {
        using TestRegistry registry = NewRegistry();
        registry.Create("i", "0 2048 integrity b 0 32 D 0");
        Assert.Null(registry.Create("n", table).Limits.Integrity);
        Assert.Equal(warns, registry.Log.Lines.Any(line => line.Contains("keeps other metadata beside its blocks", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("a", "0 8 crypt capi:gcm(aes)-random K 0 a 0 1 integrity:28:aead", "keeps no metadata")]
    [InlineData("b", "0 8 crypt capi:gcm(aes)-random K 0 /dev/mapper/i 0 1 integrity:49:aead", "keeps 48 bytes for a sector")]
    [InlineData("c", "0 8 crypt capi:gcm(aes)-random K 0 /dev/mapper/i 0 2 integrity:28:aead sector_size:4096", "sectors of 512 bytes")]
    [InlineData("d", "0 8 crypt capi:gcm(aes)-random K 0 /dev/mapper/i 0 1 integrity:19:aead", "makes no tags of 7 bytes")]
    public void A_device_that_does_not_keep_the_tags_is_refused(string name, string table, string reason)
    {
        using TestRegistry registry = NewRegistry();
        registry.Create("i", IntegrityTable('D', 48, string.Empty));
        MappedDevice device = registry.Registry.Create(name);
        DmException refusal = Assert.Throws<DmException>(() => device.LoadTable(table.Replace("K", Key, StringComparison.Ordinal)));
        Assert.Equal(Errno.EINVAL, refusal.Errno);
        Assert.Contains(reason, refusal.Message);
    }

    private static TestRegistry NewRegistry()
    {
        TestRegistry registry = new();
        registry.Add("a", 8192);
        registry.Add("b", 8192);
        return registry;
    }

    private static string IntegrityTable(char mode, int tag, string option) =>
        $"0 2048 integrity a 0 {tag} {mode} 1 block_size:{(option.Contains("4096", StringComparison.Ordinal) ? 4096 : 512)}";

    private static MappedDevice Create(TestRegistry registry, char mode, int below, string cipher, int keySize, string option)
    {
        registry.Create("i", IntegrityTable(mode, below, option));
        string key = string.Concat(Enumerable.Repeat(Key, 3))[..(2 * keySize)];
        return registry.Create("m", $"0 {Sectors} crypt {cipher} {key} 8 /dev/mapper/i 8 {option.Split(' ').Length} {option}");
    }

    private static void Close(MappedDevice device, TestRegistry registry)
    {
        registry.Registry.Remove(device);
        registry.Registry.Remove(registry.Registry.FindByName("i")!);
    }
}
