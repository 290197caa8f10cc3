using DeviceMapper.Cryptography;
using DeviceMapper.Cryptography.Modes;
using DeviceMapper.Native;

namespace DeviceMapper.Tests.Cryptography;

/// <summary>Ciphers and modes against published vectors, and against each other.</summary>
public sealed class CipherTests
{
    public static TheoryData<string, string, string, string> Blocks => new()
    {
        // FIPS 197, appendix C
        { "aes", "000102030405060708090a0b0c0d0e0f", "00112233445566778899aabbccddeeff", "69c4e0d86a7b0430d8cdb78070b4c55a" },
        { "aes", "000102030405060708090a0b0c0d0e0f1011121314151617", "00112233445566778899aabbccddeeff", "dda97ca4864cdfe06eaf70a0ec0d7191" },
        { "aes", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "00112233445566778899aabbccddeeff", "8ea2b7ca516745bfeafc49904b496089" },

        // RFC 3713, appendix A
        { "camellia", "0123456789abcdeffedcba9876543210", "0123456789abcdeffedcba9876543210", "67673138549669730857065648eabe43" },
        { "camellia", "0123456789abcdeffedcba98765432100011223344556677", "0123456789abcdeffedcba9876543210", "b4993401b3e996f84ee5cee7d79b09b9" },

        // the Twofish paper, and the NESSIE vectors of Serpent
        { "twofish", "00000000000000000000000000000000", "00000000000000000000000000000000", "9f589f5cf6122c32b6bfec2f2ae8c35a" },
        { "serpent", "80000000000000000000000000000000", "00000000000000000000000000000000", "264e5481eff42a4606abda06c0bfda3d" },

        // GB/T 32907-2016
        { "sm4", "0123456789abcdeffedcba9876543210", "0123456789abcdeffedcba9876543210", "681edf34d206965e86b3e94f536e4246" },

        // B. Schneier's vectors of Blowfish; RFC 2144; FIPS 81
        { "blowfish", "0123456789abcdef", "1111111111111111", "61f9c3802281b096" },
        { "cast5", "0123456712345678234567893456789a", "0123456789abcdef", "238b4fe5847e44b2" },
        { "des", "0123456789abcdef", "4e6f772069732074", "3fa40e8a984d4815" },
        { "des3_ede", "0123456789abcdef23456789abcdef01456789abcdef0123", "5468652071756663", "a826fd8ce53b855f" },
    };

    [Theory]
    [MemberData(nameof(Blocks))]
    public void A_block_is_encrypted_as_published(string name, string key, string plaintext, string ciphertext)
    {
        using BlockCipher cipher = Ciphers.CreateBlockCipher(name);
        cipher.SetKey(Convert.FromHexString(key));
        byte[] data = Convert.FromHexString(plaintext);
        cipher.Encrypt(data, data);
        Assert.Equal(ciphertext, Convert.ToHexStringLower(data));
        cipher.Decrypt(data, data);
        Assert.Equal(plaintext, Convert.ToHexStringLower(data));
    }

    public static TheoryData<string, string, string, string, string> Sectors => new()
    {
        // IEEE 1619-2007, appendix B, vectors 1 to 3: the first has equal halves of a key
        { "xts(aes)", "0000000000000000000000000000000000000000000000000000000000000000", "00000000000000000000000000000000", "0000000000000000000000000000000000000000000000000000000000000000", "917cf69ebd68b2ec9b9fe9a3eadda692cd43d2f59598ed858c02c2652fbf922e" },
        { "xts(aes)", "1111111111111111111111111111111122222222222222222222222222222222", "33333333330000000000000000000000", "4444444444444444444444444444444444444444444444444444444444444444", "c454185e6a16936e39334038acef838bfb186fff7480adc4289382ecd6d394f0" },
        { "xts(aes)", "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f022222222222222222222222222222222", "33333333330000000000000000000000", "4444444444444444444444444444444444444444444444444444444444444444", "af85336b597afc1a900b2eb21ec949d292df4c047e0b21532186a5971a227a89" },

        // P1619 draft of LRW-AES
        { "lrw(aes)", "4562ac25f828176d4c268414b5680185258e2a05e73e9d03ee5a830ccc094c87", "00000000000000000000000000000001", "30313233343536373839414243444546", "f1b273cd65a3df5fe95d489254634eb8" },

        // NIST SP 800-38A, F.2.1 and F.5.1
        { "cbc(aes)", "2b7e151628aed2a6abf7158809cf4f3c", "000102030405060708090a0b0c0d0e0f", "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51", "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2" },
        { "ctr(aes)", "2b7e151628aed2a6abf7158809cf4f3c", "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51", "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff" },

        // RFC 8439, 2.4.2: the first block, of which the vector is the counter 1 and the nonce
        { "chacha20", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "01000000000000000000004a00000000", "4c616469657320616e642047656e746c", "6e2e359a2568f98041ba0728dd0d6981" },

        // the authors' of HCTR2 (github.com/google/hctr2)
        { "xctr(aes)", "a12f4ddefea1ffa873dde3e295fcea9cd080420cb8433e9939380a8ce8453a7b", "32c46fb11443d187e26f5a5802367e2a", "9e5c1ef1d67d0957184855da7d44f96daccd59bb10a29467d16ffe6b4a11e80409264f8d5da17b42f94b66763812fefe", "42bca764159a04712c5f94ba893aadbc87b3f4094f570618dc8420f76485ca3babe6335634605d4b2e1613d477de2d2b" },
        { "hctr2(aes)", "e7d17748760bcd342a2de774ca119cae", "711c4962d95b505e6887bcf689ffed30e4e5bdb6104f9f6628065af42735cde5", "87038f06a86154da0145d401ef4a22cf78159fbd64bd2cb9401d72ae5363a5", "4ea10527b845e4a1bb30b4a6127463d617c9cc2f1864e0060aa0ff72107b22" },
        { "hctr2(aes)", "9eebb2493c1cf5f46a99c2c4dfb1f4dd752057ea2c4fcdb2a53d7b491eabfd0f", "df63d4abd249f3d8338137607dfa7308d8496d80e82f6254eb0ea9395b457f8a", "67c9f23084418e43fbf3b33e79367fe8", "2738784716d971352e7edd7e433cb840" },
        { "hctr2(aes)", "0365036e4de6e84e8bbe22194831eed9a09121be6289de78d9b036a33cce43d5", "a9c34be70ffc6dbf5627211cfcd604105f43e23035296c1090f1bf61ed0f8a91", "07aa0226b498115e3341215151632c7200ab32a71cc83c9c250e8b9adf85ed2df4f2bc55ca926d22fd223b424c0b74ec", "7bb1436dd8726cf6676a00c4f1f0f5a4fc6091ab460b15fcd7c12815a1fcf7688ecc276200645672a617d73f67801058" },
    };

    [Theory]
    [MemberData(nameof(Sectors))]
    public void A_sector_is_encrypted_as_published(string name, string key, string iv, string plaintext, string ciphertext)
    {
        using SectorCipher cipher = Ciphers.CreateMode(name);
        cipher.SetKey(Convert.FromHexString(key));
        byte[] vector = Convert.FromHexString(iv);
        byte[] data = Convert.FromHexString(plaintext);
        cipher.Encrypt(data, data, vector);
        Assert.Equal(ciphertext, Convert.ToHexStringLower(data));
        cipher.Decrypt(data, data, vector);
        Assert.Equal(plaintext, Convert.ToHexStringLower(data));
    }

    [Theory]
    [InlineData("ecb(aes)", 16)]
    [InlineData("cbc(aes)", 24)]
    [InlineData("pcbc(aes)", 32)]
    [InlineData("ctr(aes)", 16)]
    [InlineData("xts(aes)", 48)]
    [InlineData("lrw(aes)", 48)]
    [InlineData("cts(cbc(aes))", 32)]
    [InlineData("essiv(cbc(aes),sha256)", 32)]
    [InlineData("essiv(cts(cbc(aes)),sha256)", 32)]
    [InlineData("rfc3686(ctr(aes))", 20)]
    [InlineData("cbc(serpent)", 13)]
    [InlineData("xts(serpent)", 64)]
    [InlineData("cbc(twofish)", 32)]
    [InlineData("ctr(camellia)", 32)]
    [InlineData("pcbc(blowfish)", 16)]
    [InlineData("xchacha12", 32)]
    [InlineData("adiantum(xchacha12,aes)", 32)]
    [InlineData("adiantum(xchacha20,aes)", 32)]
    [InlineData("xctr(aes)", 16)]
    [InlineData("xctr(camellia)", 32)]
    [InlineData("hctr2(aes)", 24)]
    [InlineData("hctr2(serpent)", 32)]
    public void Every_mode_gives_back_what_it_took_in_place_and_not(string name, int keySize)
    {
        Random random = new(keySize);
        using SectorCipher cipher = Ciphers.CreateMode(name);
        byte[] key = new byte[keySize];
        byte[] iv = new byte[SectorCipher.LargestIv];
        random.NextBytes(key);
        random.NextBytes(iv);
        cipher.SetKey(key);
        foreach (int size in new[] { 512, 1024, 4096 })
        {
            byte[] plaintext = new byte[size];
            random.NextBytes(plaintext);
            byte[] apart = new byte[size];
            byte[] inPlace = [.. plaintext];
            cipher.Encrypt(plaintext, apart, iv.AsSpan(0, Math.Max(8, cipher.IvSize)));
            cipher.Encrypt(inPlace, inPlace, iv.AsSpan(0, Math.Max(8, cipher.IvSize)));
            Assert.Equal(apart, inPlace);
            Assert.NotEqual(plaintext, apart);
            cipher.Decrypt(apart, inPlace, iv.AsSpan(0, Math.Max(8, cipher.IvSize)));
            Assert.Equal(plaintext, inPlace);
            cipher.Decrypt(apart, apart, iv.AsSpan(0, Math.Max(8, cipher.IvSize)));
            Assert.Equal(plaintext, apart);
        }
    }

    [Fact]
    public void Xts_of_the_processor_is_that_of_the_library()
    {
        GcryptAlgorithm aes = new("aes", 9, 16, 16, 24, 32);
        using SectorCipher ours = Ciphers.CreateMode("xts(aes)");
        using GcryptMode theirs = new(aes, GcryptMode.Xts);
        using XtsMode general = new(Ciphers.CreateBlockCipher("aes"), Ciphers.CreateBlockCipher("aes"));
        Random random = new(7);
        byte[] key = new byte[64];
        byte[] iv = new byte[16];
        for (int size = 16; size <= 4096; size += size < 512 ? 16 : 512)
        {
            random.NextBytes(key);
            random.NextBytes(iv);
            byte[] plaintext = new byte[size];
            random.NextBytes(plaintext);
            byte[] a = new byte[size], b = new byte[size], c = new byte[size];
            ours.SetKey(key);
            theirs.SetKey(key);
            general.SetKey(key);
            ours.Encrypt(plaintext, a, iv);
            theirs.Encrypt(plaintext, b, iv);
            general.Encrypt(plaintext, c, iv);
            Assert.Equal(b, a);
            Assert.Equal(b, c);
            ours.Decrypt(a, a, iv);
            theirs.Decrypt(b, b, iv);
            general.Decrypt(c, c, iv);
            Assert.Equal(plaintext, a);
            Assert.Equal(plaintext, b);
            Assert.Equal(plaintext, c);
        }
    }

    [Theory]
    [InlineData("xts(aes)", 33)]
    [InlineData("xts(aes)", 16)]
    [InlineData("cbc(aes)", 17)]
    [InlineData("ecb(cipher_null)", 1)]
    [InlineData("xts(serpent)", 33)]
    [InlineData("cbc(blowfish)", 3)]
    [InlineData("chacha20", 16)]
    [InlineData("lrw(aes)", 8)]
    [InlineData("hctr2(aes)", 48)]
    public void A_key_of_another_size_is_refused(string name, int size)
    {
        using SectorCipher cipher = Ciphers.CreateMode(name);
        Assert.Equal(Errno.EINVAL, Assert.Throws<DmException>(() => cipher.SetKey(new byte[size])).Errno);
    }

    [Theory]
    [InlineData("")]
    [InlineData("aes")]
    [InlineData("xts()")]
    [InlineData("xts(aes")]
    [InlineData("xts(foo))")]
    [InlineData("foo(aes)")]
    [InlineData("essiv(cbc(aes))")]
    [InlineData("essiv(aes,sha256)")]
    [InlineData("cts(xts(aes))")]
    [InlineData("adiantum(aes,xchacha12)")]
    [InlineData("((((")]
    [InlineData("xts(a,b)")]
    public void What_is_no_cipher_is_told_so(string name) =>
        Assert.Equal(Errno.ENOENT, Assert.Throws<DmException>(() => Ciphers.CreateMode(name)).Errno);

    [Theory]
    [InlineData("xts(aes))")]
    [InlineData("xts(aes)-plain64")]
    [InlineData("xts(ecb(aes))")]
    [InlineData("hctr2_base(xctr(aes),polyval)")]
    public void Another_name_of_a_cipher_is_there_already(string name) =>
        Assert.Equal(Errno.EEXIST, Assert.Throws<DmException>(() => Ciphers.CreateMode(name)).Errno);
}
