using System.Text;
using System.Runtime.InteropServices;
using DeviceMapper.Cryptography;
using DeviceMapper.Cryptography.Digests;
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
    [InlineData("crct10dif", "dbd0")]
    [InlineData("crc64-rocksoft", "8898790a86148bae")]
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

    [Theory]
    [InlineData("xcbc(aes)", "000102030405060708090a0b0c0d0e0f", "", "75f0251d528ac01c4573dfd584d79f29")] // RFC 3566
    [InlineData("xcbc(aes)", "000102030405060708090a0b0c0d0e0f", "000102", "5b376580ae2f19afe7219ceef172756f")]
    [InlineData("xcbc(aes)", "000102030405060708090a0b0c0d0e0f", "000102030405060708090a0b0c0d0e0f", "d2a246fa349b68a79998a4394ff7a263")]
    [InlineData("xcbc(aes)", "000102030405060708090a0b0c0d0e0f", "000102030405060708090a0b0c0d0e0f10111213", "47f51b4564966215b8985c63055ed308")]
    [InlineData("cmac(aes)", "2b7e151628aed2a6abf7158809cf4f3c", "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411", "dfa66747de9ae63030ca32611497c827")] // RFC 4493
    [InlineData("cmac(des3_ede)", "8aa83bf8cbda10620bc1bf19fbb6cd58bc313d4a371ca8b5", "6bc1bee22e409f96e93d7e117393172aae2d8a57", "743ddbe0ce2dc2ed")] // NIST SP 800-38B, D.4
    [InlineData("ghash", "66e94bd4ef8a2c3b884cfa59ca342b2e", "0388dace60b6a392f328c2b971b2fe7800000000000000000000000000000080", "f38cbb1ad69223dcc3457ae5b6b0f885")] // NIST's GCM, test case 2
    [InlineData("michael_mic", "0000000000000000", "", "82925c1ca1d130b8")] // IEEE 802.11, H.5
    [InlineData("michael_mic", "82925c1ca1d130b8", "4d", "434721ca40639b3f")]
    [InlineData("michael_mic", "d55e100510128986", "4d69636861656c", "0a942b124ecaa546")]
    public void A_keyed_hash_is_the_published_one(string name, string key, string message, string expected)
    {
        using Digest digest = Digest.Create(name, Convert.FromHexString(key));
        byte[] bytes = Convert.FromHexString(message);
        byte[] result = new byte[digest.Size];
        digest.Hash(bytes, result);
        Assert.Equal(expected, Convert.ToHexStringLower(result));
        digest.Hash(bytes.AsSpan(0, bytes.Length / 3), bytes.AsSpan(bytes.Length / 3), result);
        Assert.Equal(expected, Convert.ToHexStringLower(result));
    }

    [Fact]
    public void Poly1305_takes_its_key_from_the_message()
    {
        // RFC 8439, 2.5.2
        byte[] key = Convert.FromHexString("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b");
        using Digest digest = Digest.Create("poly1305");
        byte[] result = new byte[digest.Size];
        digest.Hash(key, "Cryptographic Forum Research Group"u8, result);
        Assert.Equal("a8061dc1305136c6c22b8baf0c0127a9", Convert.ToHexStringLower(result));
    }

    [Theory]
    [InlineData(16)]
    [InlineData(80)]
    public void A_keyed_hash_of_a_hash_that_is_cut_off_is_that_of_its_definition(int keySize)
    {
        byte[] key = new byte[keySize], block = new byte[64], result = new byte[32];
        new Random(keySize).NextBytes(key);
        using Digest digest = Digest.Create("hmac(wp256)", key);
        using Digest hash = Digest.Create("wp512");
        byte[] Wp256(byte[] bytes)
        {
            byte[] whole = new byte[64];
            hash.Hash(bytes, whole);
            return whole[..32];
        }

        (keySize > 64 ? Wp256(key) : key).CopyTo(block, 0);
        byte[] inner = Wp256([.. block.Select(b => (byte)(b ^ 0x36)), .. "sector and data"u8]);
        digest.Hash("sector "u8, "and data"u8, result);
        Assert.Equal(Wp256([.. block.Select(b => (byte)(b ^ 0x5c)), .. inner]), result);
    }

    [Fact]
    public void Polyval_hashes_as_published_with_and_without_the_processors_instructions()
    {
        // github.com/google/hctr2, random (1) of two blocks
        Polyval polyval = new(Convert.FromHexString("fdc7a02209aaf6c9ea3312be993cca10"));
        polyval.Add(Convert.FromHexString("c32bda6912b1ace3e1cc1a1058a512412adeb8f6491781e418f226f1c0f03557"));
        byte[] hash = new byte[16];
        MemoryMarshal.Write(hash, polyval.Finish());
        Assert.Equal("1b119357b6e6c15b9b68c86c4ab67696", Convert.ToHexStringLower(hash));
        Random random = new(1);
        for (int i = 0; i < 100; i++)
        {
            ulong a = (ulong)random.NextInt64(long.MinValue, long.MaxValue), b = (ulong)random.NextInt64(long.MinValue, long.MaxValue);
            Assert.Equal(Polyval.Multiply(a, b), Polyval.MultiplySlowly(a, b));
        }
    }

    [Theory]
    [InlineData("hmac(crc32c)", Errno.EINVAL)]
    [InlineData("hmac(ghash)", Errno.EINVAL)]
    [InlineData("hmac(foo)", Errno.ENOENT)]
    [InlineData("hmac(poly1305)", Errno.ENOKEY)] // a key longer than its block is hashed, and poly1305 needs 32 bytes
    public void A_keyed_hash_that_cannot_be_made_is_told_so(string name, Errno errno) =>
        Assert.Equal(errno, Assert.Throws<DmException>(() => Digest.Create(name, new byte[20])).Errno);

    [Fact]
    public void A_hash_that_is_not_there_is_told_so() =>
        Assert.Equal(Errno.ENOENT, Assert.Throws<DmException>(() => Digest.Create("foo")).Errno);
}
