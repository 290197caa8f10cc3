using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;
using DeviceMapper.Cryptography;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;
using DeviceMapper.Volumes.Luks;

namespace DeviceMapper.Tests.Volumes;

/// <summary>Volumes that cryptsetup formatted.</summary>
public sealed class LuksVolumeTests : IDisposable
{
    private const string Luks1 = "--type luks1 --pbkdf-force-iterations 1000";
    private const string Luks2 = "--type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000";
    private const string Argon = "--type luks2 --pbkdf argon2id --pbkdf-force-iterations 4 --pbkdf-memory 64 --pbkdf-parallel 2";

    private readonly string _folder = Directory.CreateTempSubdirectory("udm-luks").FullName;

    public static TheoryData<string> Formats => new()
    {
        Luks1,
        $"{Luks1} --hash sha512 --cipher aes-cbc-essiv:sha256 --key-size 256",
        $"{Luks1} --hash sha1",
        Luks2,
        $"{Luks2} --sector-size 4096 --label name --hash sha512",
        $"{Luks2} --cipher aes-cbc-plain64 --key-size 128",
        Argon,
        Argon.Replace("argon2id", "argon2i", StringComparison.Ordinal),
    };

    private string Image => Path.Combine(_folder, "image");

    private string KeyFile => Path.Combine(_folder, "key file");

    private static ReadOnlySpan<byte> Passphrase => "a passphrase"u8;

    [Theory]
    [MemberData(nameof(Formats))]
    public void Its_key_is_the_one_that_cryptsetup_finds(string format)
    {
        Format(format);
        string dumped = Path.Combine(_folder, "volume key");
        CryptSetup(["luksDump", "-q", "--dump-volume-key", "--volume-key-file", dumped, "--key-file", KeyFile, Image]);
        LuksVolume volume = LuksVolume.Open(Image);
        using SecretMemory key = volume.Unlock(Passphrase);
        Assert.Equal(File.ReadAllBytes(dumped), key.Span.ToArray());
        Assert.Equal(format.Contains("luks1", StringComparison.Ordinal) ? 1 : 2, volume.Version);
        Assert.Equal(format.Contains("--label", StringComparison.Ordinal) ? "name" : "", volume.Label);
    }

    [Fact]
    public void It_opens_in_three_lines()
    {
        Format($"{Luks2} --sector-size 4096");
        using DeviceRegistry registry = new();
        LuksVolume volume = LuksVolume.Open(Image);
        using SecretMemory key = volume.Unlock(Passphrase);
        MappedDevice device = volume.Map(registry, "m", key);

        byte[] data = RandomNumberGenerator.GetBytes(4096);
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 64, data));
        Assert.Equal(data, TestBio.Read(device, 64, 8));
        Assert.DoesNotContain(Convert.ToHexStringLower(key.Span), device.TableTexts(arguments: true).Single().Text);
        using FileStream file = File.OpenRead(Image);
        byte[] encrypted = new byte[4096];
        file.Position = (long)volume.DataOffset + (64 * Sector.Size);
        file.ReadExactly(encrypted);
        Assert.NotEqual(new byte[4096], encrypted);
        Assert.NotEqual(data, encrypted);
    }

    [Theory]
    [InlineData("aes-xts-plain64", 64, "hmac-sha256", false)]
    [InlineData("aes-gcm-random", 32, "aead", false)]
    [InlineData("aegis128-random", 16, "aead", false)]
    [InlineData("aes-ccm-random", 35, "aead", true)]
    [InlineData("chacha20-random", 32, "poly1305", true)]
    [InlineData("aes-xts-plain64", 64, "cmac-aes", true)]
    public void A_changed_byte_of_authenticated_sectors_is_found(string cipher, int keySize, string integrity, bool detached)
    {
        File.WriteAllBytes(Image, new byte[20 << 20]);
        LuksFormat format = new() { Derivation = "pbkdf2", Iterations = 1000, Cipher = cipher, KeySize = keySize, Integrity = integrity };
        LuksVolume volume = LuksVolume.Format(Image, Passphrase, format, detached ? Path.Combine(_folder, "header") : null);
        byte[] data = RandomNumberGenerator.GetBytes(4096);
        Use(device =>
        {
            Assert.Equal(new byte[4096], TestBio.Read(device, 0, 8)); // all of it has tags
            Assert.Equal(BioStatus.Ok, TestBio.Write(device, 64, data));
            Assert.Equal(data, TestBio.Read(device, 64, 8));
        });

        byte[] before = File.ReadAllBytes(Image);
        Use(device => Assert.Equal(BioStatus.Ok, TestBio.Write(device, 64, RandomNumberGenerator.GetBytes(4096))), withoutJournal: true);
        byte[] after = File.ReadAllBytes(Image);
        int last = after.Length - 1;
        while (before[last] == after[last])
        {
            last--;
        }

        after[last] ^= 4; // data, which lies behind its tag
        File.WriteAllBytes(Image, after);
        Use(device =>
        {
            Assert.Equal(BioStatus.Protection, TestBio.Read(device, 64, new byte[4096]));
            Assert.Equal(new byte[4096], TestBio.Read(device, 72, 8));
        });

        void Use(Action<MappedDevice> action, bool withoutJournal = false)
        {
            using DeviceRegistry registry = new();
            using SecretMemory key = volume.Unlock(Passphrase);
            MappedDevice device = volume.Map(registry, "m", key, withoutJournal: withoutJournal);
            action(device);
            registry.Remove(device);
            registry.Remove(registry.FindByName("m_dif")!);
        }
    }

    [Fact]
    public void Of_two_devices_none_is_left_where_one_cannot_be_made()
    {
        File.WriteAllBytes(Image, new byte[20 << 20]);
        LuksVolume volume = LuksVolume.Format(Image, Passphrase, new LuksFormat { Derivation = "pbkdf2", Iterations = 1000, Integrity = "hmac-sha256" });
        using SecretMemory key = volume.Unlock(Passphrase);
        using DeviceRegistry registry = new();
        MappedDevice other = registry.Create("m", "0 8 zero");
        Assert.Equal(Errno.EBUSY, Assert.Throws<DmException>(() => volume.Map(registry, "m", key)).Errno);
        Assert.Equal("the volume's sectors are authenticated: it passes no discards on", Assert.Throws<DmException>(() => volume.Map(registry, "n", key, allowDiscards: true)).Message);
        Assert.Equal("the volume's sectors are authenticated: an integrity device has to be below it", Assert.Throws<DmException>(() => volume.TableLine("-")).Message);
        Assert.Equal([other], registry.Devices);

        using (FileStream file = File.OpenWrite(Image))
        {
            file.Position = (long)volume.DataOffset;
            file.Write(new byte[4096]);
        }

        Assert.StartsWith("there is no superblock of integrity", Assert.Throws<DmException>(() => volume.Map(registry, "n", key)).Message);
        Assert.Equal([other], registry.Devices);
    }

    [Theory]
    [InlineData(Luks1)]
    [InlineData(Argon)]
    public void A_wrong_passphrase_is_told_and_nothing_is_written(string format)
    {
        Format(format);
        byte[] before = File.ReadAllBytes(Image);
        DmException refusal = Assert.Throws<DmException>(() => LuksVolume.Open(Image).Unlock("another"u8));
        Assert.Equal((Errno.EPERM, "no keyslot has this passphrase"), (refusal.Errno, refusal.Message));
        Assert.Equal(before, File.ReadAllBytes(Image));
    }

    [Theory]
    [InlineData(Luks1)]
    [InlineData(Luks2)]
    public void Any_of_several_passphrases_opens_it(string format)
    {
        Format(format);
        string second = Path.Combine(_folder, "second");
        File.WriteAllBytes(second, [0, 10, 255, 13]);
        CryptSetup(["luksAddKey", "-q", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", "--key-file", KeyFile, Image, second]);
        LuksVolume volume = LuksVolume.Open(Image);
        using SecretMemory first = volume.Unlock(Passphrase);
        using SecretMemory other = volume.Unlock([0, 10, 255, 13]);
        Assert.Equal(first.Span.ToArray(), other.Span.ToArray());
        Assert.Equal([0, 1], volume.Keyslots.Select(slot => slot.Number));
    }

    [Theory]
    [InlineData(Luks1)]
    [InlineData(Luks2)]
    public void Its_header_may_lie_elsewhere(string format)
    {
        string header = Path.Combine(_folder, "header");
        Format($"{format} --header {header}");
        LuksVolume volume = LuksVolume.Open(Image, header);
        using SecretMemory key = volume.Unlock(Passphrase);
        TableLine line = volume.TableLine("KEY");
        Assert.Equal(new FileInfo(Image).Length / Sector.Size, (long)line.Length.Value);
        Assert.Contains($" KEY 0 {Image} 0", line.Arguments);
        Assert.Equal(Errno.EINVAL, Assert.Throws<DmException>(() => LuksVolume.Open(Image)).Errno);
    }

    [Fact]
    public void The_second_header_serves_where_the_first_is_damaged()
    {
        Format(Luks2);
        using (FileStream file = File.OpenWrite(Image))
        {
            file.Write(new byte[4096]);
        }

        using SecretMemory key = LuksVolume.Open(Image).Unlock(Passphrase);
        Assert.Equal(64, key.Length);
    }

    [Fact]
    public void A_device_that_was_cut_off_is_told()
    {
        Format(Luks2);
        using (FileStream file = File.OpenWrite(Image))
        {
            file.SetLength(16 << 20);
        }

        DmException refusal = Assert.Throws<DmException>(() => LuksVolume.Open(Image).TableLine("-"));
        Assert.Equal(Errno.EINVAL, refusal.Errno);
    }

    [Fact]
    public void A_keyslot_of_which_a_bit_changed_opens_nothing()
    {
        Format(Luks1);
        using (FileStream file = File.Open(Image, FileMode.Open))
        {
            file.Position = 4096 + 70_000; // in the stripes of the first slot
            int there = file.ReadByte();
            file.Position--;
            file.WriteByte((byte)(there ^ 1));
        }

        Assert.Equal(Errno.EPERM, Assert.Throws<DmException>(() => LuksVolume.Open(Image).Unlock(Passphrase)).Errno);
    }

    [Theory]
    [InlineData(Luks1, 592)]
    [InlineData(Luks2, 6000)]
    public void Damage_is_told_or_does_not_matter(string format, int length)
    {
        Format(format);
        byte[] whole = new byte[16 << 10];
        using (FileStream file = File.OpenRead(Image))
        {
            file.ReadExactly(whole);
        }

        Random random = new(5);
        int refused = 0;
        for (int i = 0; i < 1000; i++)
        {
            byte[] bytes = (byte[])whole.Clone();
            for (int n = random.Next(1, 12); n > 0; n--)
            {
                int at = format == Luks1 || random.Next(4) == 0 ? random.Next(length) : 4096 + random.Next(length - 4096);
                bytes[at] = random.Next(3) switch
                {
                    0 => (byte)random.Next(256),
                    1 => (byte)"{}[]\":,0919eE-\\ nt"[random.Next(18)],
                    _ => bytes[random.Next(length)],
                };
            }

            if (format != Luks1)
            {
                bytes.AsSpan(448, 64).Clear();
                SHA256.HashData(bytes).CopyTo(bytes, 448);
            }

            try
            {
                LuksHeader.Read(new MemoryStream(bytes));
            }
            catch (DmException e)
            {
                Assert.Equal(Errno.EINVAL, e.Errno);
                refused++;
            }
        }

        Assert.InRange(refused, 100, 1000);
    }

    [Fact]
    public void Impossible_parameters_of_a_keyslot_are_told()
    {
        Format(Luks1);
        using (FileStream file = File.Open(Image, FileMode.Open))
        {
            byte[] iterations = new byte[4];
            BinaryPrimitives.WriteUInt32BigEndian(iterations, 0x80000000);
            file.Position = 208 + 4;
            file.Write(iterations);
        }

        DmException refusal = Assert.Throws<DmException>(() => LuksVolume.Open(Image).Unlock(Passphrase));
        Assert.Equal(Errno.EINVAL, refusal.Errno);
        Assert.StartsWith("keyslot 0: ", refusal.Message);
    }

    [Fact]
    public void What_is_no_volume_is_told()
    {
        File.WriteAllBytes(Image, new byte[100]);
        Assert.Equal(Errno.EINVAL, Assert.Throws<DmException>(() => LuksVolume.Open(Image)).Errno);
        Assert.Equal(Errno.ENOENT, Assert.Throws<DmException>(() => LuksVolume.Open(Image + "x")).Errno);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void Format(string options)
    {
        using (FileStream image = File.Create(Image))
        {
            image.SetLength(20 << 20);
        }

        File.WriteAllBytes(KeyFile, Passphrase);
        CryptSetup(["luksFormat", "-q", .. options.Split(' '), "--key-file", KeyFile, Image]);
    }

    /// <summary>Runs cryptsetup, or skips the test where it is not installed.</summary>
    internal static void CryptSetup(string[] arguments)
    {
        string? program = new[] { "/usr/sbin/cryptsetup", "/sbin/cryptsetup", "/usr/bin/cryptsetup" }.FirstOrDefault(File.Exists);
        Assert.SkipWhen(program is null, "needs cryptsetup (cryptsetup-bin)");
        ProcessStartInfo start = new(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"cryptsetup {string.Join(' ', arguments)}: {error}{output.Result}");
    }
}
