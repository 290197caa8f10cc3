using System.Runtime.InteropServices;
using DeviceMapper.Cryptography;
using DeviceMapper.Native;

namespace DeviceMapper.Tests.Cryptography;

/// <summary>Both libraries make the same keys.</summary>
public sealed class Argon2Tests
{
    [Theory]
    [InlineData("argon2id", 1, 32, 4)]
    [InlineData("argon2id", 4, 1024, 1)]
    [InlineData("argon2i", 3, 256, 2)]
    public void Both_libraries_make_the_same_key(string type, uint passes, uint memory, uint lanes)
    {
        Assert.SkipUnless(NativeLibrary.TryLoad("libargon2.so.1", out _) && NativeLibrary.TryLoad("libgcrypt.so.20", out _), "needs libargon2-1 and libgcrypt20");
        LibGcrypt.Load("the test");
        Argon2 argon2 = new(type, passes, memory, lanes);
        byte[] salt = [.. Enumerable.Range(1, 32).Select(i => (byte)i)], one = new byte[64], other = new byte[64];
        argon2.DeriveByLibArgon2("a passphrase"u8, salt, one);
        argon2.DeriveByLibGcrypt("a passphrase"u8, salt, other);
        Assert.Equal(one, other);
        Assert.Contains(one, b => b != 0);
    }
}
