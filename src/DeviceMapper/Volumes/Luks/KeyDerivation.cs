using System.Security.Cryptography;
using DeviceMapper.Cryptography;
using DeviceMapper.Native;

namespace DeviceMapper.Volumes.Luks;

/// <summary>How a key is made of a passphrase, slowly on purpose: what a keyslot or a digest says of it.</summary>
/// <param name="Type"><c>pbkdf2</c>, <c>argon2i</c> or <c>argon2id</c>.</param>
/// <param name="Hash">The hash of PBKDF2; empty for the others.</param>
/// <param name="Iterations">Rounds of PBKDF2, or passes of Argon2 over its memory.</param>
/// <param name="Memory">Argon2's, in KiB.</param>
/// <param name="Lanes">Argon2's threads.</param>
/// <param name="Salt">The salt.</param>
internal sealed record KeyDerivation(string Type, string Hash, int Iterations, int Memory, int Lanes, byte[] Salt)
{
    private const int MostMemory = 4 << 20; // KiB; cryptsetup's own limit
    private const int MostLanes = 64;

    /// <summary>PBKDF2.</summary>
    public static KeyDerivation Pbkdf2(string hash, int iterations, byte[] salt) => new("pbkdf2", hash, iterations, 0, 1, salt);

    /// <summary>Makes the key.</summary>
    /// <exception cref="DmException">
    /// EINVAL: there is no such function or hash, or its parameters are impossible. ENOENT: a library is not installed. ENOMEM: there is not enough
    /// memory.
    /// </exception>
    public void Derive(ReadOnlySpan<byte> passphrase, Span<byte> key)
    {
        if (Iterations <= 0 || Memory is < 0 or > MostMemory || Lanes is <= 0 or > MostLanes)
        {
            throw new DmException(
                Errno.EINVAL, $"the header's parameters of {Type} are out of range: {Iterations} iterations, {Memory} KiB, {Lanes} threads");
        }

        switch (Type)
        {
            case "pbkdf2":
                Rfc2898DeriveBytes.Pbkdf2(passphrase, Salt, key, Iterations, HashName());
                break;
            case "argon2i" or "argon2id":
                new Argon2(Type, (uint)Iterations, (uint)Memory, (uint)Lanes).Derive(passphrase, Salt, key);
                break;
            default:
                throw new DmException(Errno.EINVAL, $"the header derives keys by '{Type}', which is none of pbkdf2, argon2i, argon2id");
        }
    }

    private HashAlgorithmName HashName() => Hash switch
    {
        "sha1" => HashAlgorithmName.SHA1,
        "sha256" => HashAlgorithmName.SHA256,
        "sha384" => HashAlgorithmName.SHA384,
        "sha512" => HashAlgorithmName.SHA512,
        "sha3-256" when SHA3_256.IsSupported => HashAlgorithmName.SHA3_256,
        "sha3-384" when SHA3_384.IsSupported => HashAlgorithmName.SHA3_384,
        "sha3-512" when SHA3_512.IsSupported => HashAlgorithmName.SHA3_512,
        _ => throw new DmException(Errno.EINVAL, $"the header's pbkdf2 uses the hash '{Hash}', which is none of sha1, sha256, sha384, sha512, sha3"),
    };
}
