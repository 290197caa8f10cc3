using System.Text;
using DeviceMapper.Cryptography;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

/// <summary>What all forms of crypt must do.</summary>
public abstract class CryptConformance : DataTargetConformance
{
    /// <summary>256 bits of a key.</summary>
    public const string Key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    protected override IEnumerable<string> BadTables =>
    [
        "0 1000 crypt",
        $"0 1000 crypt aes-xts-plain64 {Key} 0 a",
        $"0 1000 crypt aes-xts-plain64 {Key} 0 a x",
        $"0 1000 crypt aes-xts-plain64 {Key} x a 0",
        "0 1000 crypt aes-xts-plain64 0g 0 a 0",
        "0 1000 crypt aes-xts-plain64 - 0 a 0",
        $"0 1000 crypt aes-xts {Key} 0 a 0",
        $"0 1000 crypt aes-xts-foo {Key} 0 a 0",
        $"0 1000 crypt aes:3-xts-plain64 {Key} 0 a 0",
        $"0 1000 crypt aes-xts-random {Key} 0 a 0",
        $"0 1000 crypt aes-xts-plain64 {Key} 0 a 0 2 allow_discards",
        $"0 1000 crypt aes-xts-plain64 {Key} 0 a 0 1 sector_size:8192",
        $"0 1001 crypt aes-xts-plain64 {Key} 0 a 0 1 sector_size:1024",
        $"0 1000 crypt aes-xts-plain64 {Key} 0 a 0 1 integrity:16",
        $"0 1000 crypt aes-xts-random {Key} 0 a 0 1 integrity:16:none",
        $"0 1000 crypt capi:gcm(aes)-random {Key} 0 a 0 1 integrity:28:aead",
    ];

    protected override void AddDevices(TestRegistry registry) => registry.Add("a", 4096);
}

/// <summary>crypt as LUKS2 sets it up.</summary>
public sealed class CryptTargetTests : CryptConformance
{
    protected override string Table => $"0 4000 crypt aes-xts-plain64 {Key}{Key} 5 a 96 1 allow_discards";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Large_I_O_in_uneven_pieces_is_that_of_single_sectors(bool later)
    {
        using TestRegistry registry = NewRegistry();
        using ShufflingThread shuffling = new(3);
        MappedDevice device = registry.Create("m", $"0 4096 crypt aes-cbc-essiv:sha256 {Key} 0 a 0 1 sector_size:4096");
        MappedDevice plain = registry.Create("n", $"0 4096 crypt aes-cbc-essiv:sha256 {Key} 0 a 0 1 sector_size:4096");
        registry["a"].Later = later ? shuffling : null;
        byte[] data = new byte[2048 * Sector.Size];
        new Random(1).NextBytes(data);
        int[] pieces = [.. Enumerable.Repeat(new[] { 3, 5, 1, 7, 8, 40 }, 32).SelectMany(p => p)];
        Assert.Equal(BioStatus.Ok, TestBio.Submit(device, BioOperation.Write, 0, 2048, data, pieces: pieces).Wait());
        byte[] read = new byte[8 * Sector.Size];
        for (int at = 0; at < data.Length; at += read.Length)
        {
            Assert.Equal(BioStatus.Ok, TestBio.Read(plain, (ulong)at / Sector.Size, read));
            Assert.True(read.AsSpan().SequenceEqual(data.AsSpan(at, read.Length)), $"byte {at}");
        }

        TestBio all = TestBio.Submit(device, BioOperation.Read, 0, 2048, pieces: pieces);
        Assert.Equal(BioStatus.Ok, all.Wait());
        Assert.Equal(data, all.Data);
    }

    [Fact]
    public void Plaintext_reaches_no_device_and_stays_as_it_is()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", Table);
        byte[] data = [.. Enumerable.Repeat((byte)0x5a, 512 * Sector.Size)];
        TestBio bio = TestBio.Submit(device, BioOperation.Write, 0, 512, data);
        Assert.Equal(BioStatus.Ok, bio.Wait());
        Assert.Equal(data, bio.Data);
        Assert.False(registry["a"].Data.AsSpan().IndexOf(data.AsSpan(0, 16)) >= 0);
    }

    [Fact]
    public void A_key_in_the_keyring_is_used_and_only_its_name_shown()
    {
        byte[] key = Convert.FromHexString(Key);
        Keyring.Add("logon", "test:volume", key);
        try
        {
            using TestRegistry registry = NewRegistry();
            MappedDevice device = registry.Create("m", "0 1000 crypt aes-xts-plain64 :32:logon:test:volume 0 a 0");
            Assert.Equal("0 1000 crypt aes-xts-plain64 :32:logon:test:volume 0 a 0", TestRegistry.TableOf(device));
            byte[] data = new byte[1000 * Sector.Size];
            new Random(2).NextBytes(data);
            Assert.Equal(BioStatus.Ok, TestBio.Write(device, 0, data));
            TestRegistry.Swap(device, $"0 1000 crypt aes-xts-plain64 {Key} 0 a 0");
            Assert.Equal(data, TestBio.Read(device, 0, 1000));
        }
        finally
        {
            Assert.True(Keyring.Remove("logon", "test:volume"));
        }
    }

    [Fact]
    public void A_key_that_is_not_there_is_named()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Registry.Create("m");
        DmException refusal = Assert.Throws<DmException>(() => device.LoadTable("0 1000 crypt aes-xts-plain64 :32:user:test:nosuch 0 a 0"));
        Assert.Equal(Errno.ENOKEY, refusal.Errno);
        Assert.Contains("test:nosuch", refusal.Message);
        AssertIsSentence(refusal, "a key that is not there");
    }

    [Fact]
    public void A_refusal_does_not_repeat_the_key()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Registry.Create("m");
        DmException refusal = Assert.Throws<DmException>(() => device.LoadTable($"0 1000 crypt aes-xts-plain64 {Key}00 0 a 0"));
        Assert.DoesNotContain(Key[..16], refusal.Message);
    }

    [Theory]
    [InlineData("foo-cbc-plain", Errno.ENOENT)]
    [InlineData("aes-foo-plain", Errno.ENOENT)]
    [InlineData("aes-cbc-essiv:foo", Errno.ENOENT)]
    [InlineData("capi:foo(aes)-plain64", Errno.ENOENT)]
    [InlineData("aes-cbc-essiv", Errno.EINVAL)]
    [InlineData("blowfish-xts-plain64", Errno.EINVAL)]
    public void A_cipher_that_is_not_there_is_told_from_one_that_does_not_fit(string cipher, Errno errno)
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Registry.Create("m");
        DmException refusal = Assert.Throws<DmException>(() => device.LoadTable($"0 1000 crypt {cipher} {Key} 0 a 0"));
        Assert.Equal(errno, refusal.Errno);
        AssertIsSentence(refusal, cipher);
    }

    [Fact]
    public void The_key_is_wiped_and_set_only_while_suspended()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", $"0 1000 crypt aes-xts-plain64 {Key} 0 a 0");
        byte[] data = new byte[64 * Sector.Size];
        new Random(3).NextBytes(data);
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 0, data));
        Assert.Equal(Errno.EINVAL, Assert.Throws<DmException>(() => device.Message(default(Sector), "key wipe")).Errno);
        device.Suspend();
        device.Message(default(Sector), "key wipe");
        Assert.Contains(new string('0', 64), TestRegistry.TableOf(device));
        Assert.Equal(Errno.EAGAIN, Assert.Throws<DmException>(() => device.Resume()).Errno);
        Assert.Equal(Errno.EINVAL, Assert.Throws<DmException>(() => device.Message(default(Sector), $"key set {Key}00")).Errno);
        device.Message(default(Sector), $"key set {Key}");
        device.Resume();
        Assert.Equal(data, TestBio.Read(device, 0, 64));
    }

    [Fact]
    public void Without_allow_discards_there_are_none()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", $"0 1000 crypt aes-xts-plain64 {Key} 0 a 0");
        Assert.Equal(BioStatus.Unsupported, TestBio.Do(device, BioOperation.Discard, 0, 8));
        TestRegistry.Swap(device, Table);
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Discard, 0, 8));
    }

    [Fact]
    public void I_O_that_cuts_sectors_is_refused()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", $"0 1000 crypt aes-xts-plain64 {Key} 0 a 0 1 sector_size:4096");
        Assert.Equal(4096u, device.Limits.LogicalBlockSize);
        Assert.NotEqual(BioStatus.Ok, TestBio.Do(device, BioOperation.Write, 1, 8));
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Write, 8, 8));
    }

    [Fact]
    public void Metadata_that_nobody_uses_needs_no_device_that_keeps_it()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", $"0 1000 crypt aes-xts-plain64 {Key} 0 a 0 1 integrity:16:none");
        MappedDevice plain = registry.Create("n", $"0 1000 crypt aes-xts-plain64 {Key} 0 a 0");
        byte[] data = new byte[8 * Sector.Size];
        new Random(1).NextBytes(data);
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 8, data));
        Assert.Equal(data, TestBio.Read(plain, 8, 8));
    }

    [Fact]
    public void Steady_I_O_allocates_nothing()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", Table);
        registry["a"].Recording = false;
        long allocated = Allocations.LeastOfRounds(() =>
        {
            for (int i = 0; i < 200; i++)
            {
                Rounds.Do(device, BioOperation.Write, 8);
                Rounds.Do(device, BioOperation.Read, 8);
            }
        });

        Assert.Equal(0, allocated);
    }

    /// <summary>Bios of one memory, so that the test itself allocates nothing.</summary>
    private sealed class Rounds : IBioCompletion
    {
        private static readonly byte[] _memory = GC.AllocateArray<byte>(1 << 16, pinned: true);
        private static readonly Rounds _completion = new();
        private BioStatus _status;

        public static void Do(BlockDevice device, BioOperation operation, int sectors)
        {
            Bio bio = Bio.Rent();
            bio.Device = device;
            bio.Operation = operation;
            bio.Sector = default;
            bio.Count = new SectorCount((ulong)sectors);
            bio.Buffer = TestBio.BufferOf(_memory).Slice(0, sectors * Sector.Size);
            bio.Submit(_completion);
            if (_completion._status != BioStatus.Ok)
            {
                throw new InvalidOperationException("the bio failed");
            }
        }

        public void BioEnded(Bio bio)
        {
            _status = bio.Status;
            bio.Return();
        }
    }
}

/// <summary>crypt with large sectors, and data that the generator of vectors changes too.</summary>
public sealed class CryptElephantTargetTests : CryptConformance
{
    protected override string Table => $"0 4000 crypt aes-cbc-elephant {Key}{Key} 8 a 96 2 sector_size:4096 iv_large_sectors";
}

/// <summary>crypt with 64 keys, a hash of the plaintext as vector, and a seed.</summary>
public sealed class CryptLmkTargetTests : CryptConformance
{
    protected override string Table => $"0 4000 crypt aes:64-cbc-lmk {string.Concat(Enumerable.Repeat(Key[..32], 65))} 0 a 0";
}
