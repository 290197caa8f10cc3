using System.Text;
using DeviceMapper.Cryptography;
using DeviceMapper.Native;

namespace DeviceMapper.Tests.Cryptography;

/// <summary>Hashes and checksums against published vectors.</summary>
public sealed class DigestTests
{
    [Theory]
    [InlineData("md5", "900150983cd24fb0d6963f7d28e17f72")]
    [InlineData("sha1", "a9993e364706816aba3e25717850c26c9cd0d89d")]
    [InlineData("sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData("sha3-256", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532")]
    [InlineData("rmd160", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc")]
    [InlineData("md4", "a448017aaf21d8525fc10ae87aa6729d")]
    [InlineData("sm3", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0")]
    public void A_hash_of_abc_is_the_published_one(string name, string expected)
    {
        using Digest digest = Digest.Create(name);
        byte[] result = new byte[digest.Size];
        digest.Hash("abc"u8, result);
        Assert.Equal(expected, Convert.ToHexStringLower(result));
        digest.Hash("a"u8, "bc"u8, result);
        Assert.Equal(expected, Convert.ToHexStringLower(result));
    }

    [Theory]
    [InlineData("crc32c", "839206e3")] // 0xe3069283, little endian
    [InlineData("xxhash64", "83aee640db41b88c")]
    public void A_checksum_of_nine_digits_is_the_published_one(string name, string expected)
    {
        using Digest digest = Digest.Create(name);
        byte[] result = new byte[digest.Size];
        digest.Hash("123456789"u8, result);
        Assert.Equal(expected, Convert.ToHexStringLower(result));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(503)]
    [InlineData(504)]
    [InlineData(512)]
    [InlineData(4079)]
    [InlineData(4080)]
    [InlineData(4096)]
    [InlineData(9005)]
    public void The_crc32c_of_many_bytes_at_once_is_that_of_one_after_the_other(int length)
    {
        byte[] bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        uint expected = 0x12345678;
        foreach (byte b in bytes)
        {
            expected = Crc.Add32C(expected, [b]);
        }

        Assert.Equal(expected, Crc.Add32C(0x12345678, bytes));
        Assert.Equal(expected, Crc.Add32C(Crc.Add32C(0x12345678, bytes.AsSpan(0, length / 3)), bytes.AsSpan(length / 3)));
    }

    [Fact]
    public void The_kernels_crc32_is_the_published_one_without_inversions()
    {
        Assert.Equal(0xcbf43926u, ~Crc.Add32(uint.MaxValue, "123456789"u8));
        Assert.Equal(Crc.Add32(0, "123456789abcdefghij"u8), Crc.Add32(Crc.Add32(0, "1234"u8), "56789abcdefghij"u8));
    }

    [Fact]
    public void Md5_without_padding_is_md5_where_the_padding_is_given()
    {
        byte[] message = new byte[64];
        Encoding.ASCII.GetBytes("abc").CopyTo(message, 0);
        message[3] = 0x80;
        message[56] = 24;
        Md5Compression md5 = new();
        md5.Add(message);
        byte[] state = new byte[16];
        md5.CopyTo(state);
        Assert.Equal("900150983cd24fb0d6963f7d28e17f72", Convert.ToHexStringLower(state));
    }

    [Fact]
    public void Poly1305_sums_as_published()
    {
        // RFC 8439, 2.5.2: the accumulator after two of its blocks, modulo 2^128
        Poly1305 poly = new(Convert.FromHexString("85d6be7857556d337f4452fe42d506a8"));
        poly.Add("Cryptographic Forum Research Gro"u8);
        Assert.Equal("d8adaf23b0337fa7cccfb4ea344b30de", poly.Finish().ToString("x32"));
    }

    [Fact]
    public void A_hash_that_is_not_there_is_told_so() =>
        Assert.Equal(Errno.ENOENT, Assert.Throws<DmException>(() => Digest.Create("foo")).Errno);
}
