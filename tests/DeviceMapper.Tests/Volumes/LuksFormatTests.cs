using DeviceMapper.Cryptography;
using DeviceMapper.Native;
using DeviceMapper.Volumes.Luks;

namespace DeviceMapper.Tests.Volumes;

/// <summary>New volumes, which cryptsetup and we open with the same key.</summary>
public sealed class LuksFormatTests : IDisposable
{
    private static readonly LuksFormat _luks1 = new() { Version = 1, Iterations = 1000 };
    private static readonly LuksFormat _luks2 = new() { Derivation = "pbkdf2", Iterations = 1000 };
    private static readonly LuksFormat _argon = new() { Iterations = 4, Memory = 64 };

    private readonly string _folder = Directory.CreateTempSubdirectory("udm-luks-format").FullName;

    public static TheoryData<string> Names => [.. Formats.Keys];

    private static Dictionary<string, LuksFormat> Formats => new()
    {
        ["LUKS1"] = _luks1,
        ["LUKS1 with another cipher and hash"] = _luks1 with { Cipher = "aes-cbc-essiv:sha256", KeySize = 32, Hash = "sha512" },
        ["LUKS2 with PBKDF2"] = _luks2,
        ["LUKS2 with small sectors and a name"] = _luks2 with { SectorSize = 512, Label = "näme", Hash = "sha512" },
        ["LUKS2 with another cipher"] = _luks2 with { Cipher = "aes-cbc-plain64", KeySize = 16 },
        ["LUKS2 with a cipher in the kernel's words"] = _luks2 with { Cipher = "capi:hctr2(aes)-plain64", KeySize = 32 },
        ["LUKS2 with integrity"] = _luks2 with { Integrity = "hmac-sha256" },
        ["LUKS2 with argon2id"] = _argon,
        ["LUKS2 with argon2i"] = _argon with { Derivation = "argon2i" },
    };

    private string Image => Path.Combine(_folder, "image");

    private static ReadOnlySpan<byte> Passphrase => "a passphrase"u8;

    [Theory]
    [MemberData(nameof(Names))]
    public void Cryptsetup_finds_the_key_that_we_find(string name)
    {
        MakeImage(20 << 20);
        Assert.Equal(Formats[name].Label, LuksVolume.Format(Image, Passphrase, Formats[name]).Label);
        AssertKeyIsCryptsetups(null);
    }

    [Theory]
    [InlineData("LUKS1")]
    [InlineData("LUKS2 with PBKDF2")]
    public void Its_header_may_lie_elsewhere(string name)
    {
        MakeImage(1 << 20);
        string header = Path.Combine(_folder, "header");
        LuksVolume volume = LuksVolume.Format(Image, Passphrase, Formats[name], header);
        Assert.Equal(2048ul, volume.TableLine("KEY").Length.Value);
        Assert.True(File.ReadAllBytes(Image).AsSpan().IndexOfAnyExcept((byte)0) < 0, "the device was written");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(header));
        AssertKeyIsCryptsetups(header);
    }

    [Fact]
    public void What_is_not_blank_is_overwritten_only_when_asked_for()
    {
        byte[] image = new byte[20 << 20];
        image[0x438] = 0x53; // ext4's magic number
        image[0x439] = 0xef;
        image[0x180000] = 1; // where neither header nor keyslot lies
        File.WriteAllBytes(Image, image);
        DmException refusal = Assert.Throws<DmException>(() => LuksVolume.Format(Image, Passphrase, _luks2));
        Assert.Equal(Errno.EEXIST, refusal.Errno);
        Assert.Contains("byte 1080 is not zero", refusal.Message);
        Assert.Equal(image, File.ReadAllBytes(Image));

        LuksVolume.Format(Image, Passphrase, _luks2 with { Overwrite = true });
        LuksVolume again = LuksVolume.Format(Image, "another"u8, _luks1 with { Overwrite = true });
        Assert.Equal(1, again.Version);
        Assert.Equal(Errno.EPERM, Assert.Throws<DmException>(() => again.Unlock(Passphrase)).Errno);
        again.Unlock("another"u8).Dispose();
        byte[] written = File.ReadAllBytes(Image);
        Assert.True(written.AsSpan().IndexOf("SKUL"u8) < 0, "a header of the volume before is left");
        Assert.Equal(0, written[0x438] | written[0x439] | written[0x180000]);
    }

    public static TheoryData<string, LuksFormat> Impossible => new()
    {
        { "LUKS1 authenticates no sectors", _luks1 with { Integrity = "hmac-sha256" } },
        { "the volume authenticates its sectors by 'crc32c', which udm does not have", _luks2 with { Integrity = "crc32c" } },
        { "ebx", _luks2 with { Integrity = "hmac-ebx" } },
        { "aes takes keys of 16, 24,", _luks2 with { Integrity = "aead", Cipher = "aes-gcm-random", KeySize = 33 } },
        { "there is no LUKS3", _luks2 with { Version = 3 } },
        { "a key has 1 to 512 bytes, not 0", _luks2 with { KeySize = 0 } },
        { "sectors of 4096 bytes are none of LUKS1", _luks1 with { SectorSize = 4096 } },
        { "LUKS1 does not derive keys by 'argon2id'", _luks1 with { Derivation = "argon2id" } },
        { "LUKS1 has no label", _luks1 with { Label = "name" } },
        { "a label has at most 47 bytes", _luks2 with { Label = new string('a', 48) } },
        { "there is no hash 'foo'", _luks2 with { Hash = "foo" } },
        { "uses the hash 'crc32c'", _luks2 with { Hash = "crc32c" } },
        { "pbkdf2 has no memory", _luks2 with { Memory = 64 } },
        { "argon2 takes 32 KiB to 4 GiB", _argon with { Memory = 1 } },
        { "foo", _luks2 with { Cipher = "foo-xts-plain64" } },
    };

    [Theory]
    [MemberData(nameof(Impossible))]
    public void What_cannot_be_is_told_and_nothing_is_written(string sentence, LuksFormat format)
    {
        MakeImage(20 << 20);
        Assert.Contains(sentence, Assert.Throws<DmException>(() => LuksVolume.Format(Image, Passphrase, format)).Message);
        Assert.True(File.ReadAllBytes(Image).AsSpan().IndexOfAnyExcept((byte)0) < 0, "the device was written");
    }

    [Fact]
    public void A_device_that_is_too_small_or_not_there_is_told()
    {
        MakeImage(16 << 20);
        Assert.Equal(Errno.ENOSPC, Assert.Throws<DmException>(() => LuksVolume.Format(Image, Passphrase, _luks2)).Errno);
        MakeImage((16 << 20) + 16384); // for a superblock, but no journal and data
        Assert.Throws<DmException>(() => LuksVolume.Format(Image, Passphrase, _luks2 with { Integrity = "hmac-sha256" }));
        Assert.True(File.ReadAllBytes(Image).AsSpan().IndexOfAnyExcept((byte)0) < 0, "the device was written");
        Assert.Equal(Errno.ENOENT, Assert.Throws<DmException>(() => LuksVolume.Format(Image + "x", Passphrase, _luks2)).Errno);
        Assert.False(File.Exists(Image + "x"));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void MakeImage(long size)
    {
        using FileStream file = File.Create(Image);
        file.SetLength(size);
    }

    private void AssertKeyIsCryptsetups(string? header)
    {
        string keyFile = Path.Combine(_folder, "key file"), dumped = Path.Combine(_folder, "volume key");
        File.WriteAllBytes(keyFile, Passphrase);
        LuksVolumeTests.CryptSetup(["luksDump", "-q", "--dump-volume-key", "--volume-key-file", dumped, "--key-file", keyFile, header ?? Image]);
        using SecretMemory key = LuksVolume.Open(Image, header).Unlock(Passphrase);
        Assert.Equal(File.ReadAllBytes(dumped), key.Span.ToArray());

        // There is room for more, and the rest of the header is as cryptsetup wants it.
        string second = Path.Combine(_folder, "second");
        File.WriteAllText(second, "another");
        LuksVolumeTests.CryptSetup(["luksAddKey", "-q", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", "--key-file", keyFile, header ?? Image, second]);
        using SecretMemory same = LuksVolume.Open(Image, header).Unlock("another"u8);
        Assert.Equal(key.Span.ToArray(), same.Span.ToArray());
    }
}
