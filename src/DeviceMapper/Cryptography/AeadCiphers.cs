using DeviceMapper.Cryptography.Digests;
using DeviceMapper.Cryptography.Modes;
using DeviceMapper.Native;

namespace DeviceMapper.Cryptography;

/// <summary>The ciphers that authenticate, by the names of the kernel's crypto API: <c>gcm(aes)</c>, <c>authenc(hmac(sha256),xts(aes))</c>.</summary>
internal static class AeadCiphers
{
    /// <summary>Makes a cipher, without a key yet.</summary>
    /// <param name="specification">As <c>/proc/crypto</c> names it.</param>
    /// <param name="authenticationKeySize">Bytes at the end of the key that authenticate; null where the hash says it. Only authenc has such.</param>
    /// <exception cref="DmException">ENOENT: there is no such cipher, or none that authenticates. EINVAL: its parts do not go together.</exception>
    public static AeadCipher Create(string specification, int? authenticationKeySize)
    {
        if (!Ciphers.TrySplit(specification, out string template, out string[] parts))
        {
            return specification is "aegis128" or "aegis128-generic" && Aegis128.IsSupported ? new Aegis128() : throw NoSuch(specification);
        }

        switch (template, parts.Length)
        {
            case ("authenc", 2):
                return new AuthencMode(parts[0], Ciphers.CreateMode(parts[1]), authenticationKeySize);
            case ("essiv", 2) when Ciphers.TrySplit(parts[0], out string inner, out string[] innerParts) && inner == "authenc" && innerParts.Length == 2
                && Ciphers.TrySplit(innerParts[1], out _, out string[] cipher) && cipher.Length == 1:
                Digest.Create(parts[1]).Dispose(); // so that a hash that is not there is told before a key that does not fit
                return new EssivAeadMode(Create(parts[0], authenticationKeySize), Ciphers.CreateBlockCipher(cipher[0]), parts[1]);
            case ("essiv", 2):
                Create(parts[0], authenticationKeySize).Dispose(); // so that one that is not there is told first
                throw new DmException(Errno.EINVAL, $"the cipher '{specification}' is not there: essiv goes with authenc(...) alone");
            case ("gcm", 1):
                return new GcryptAeadMode(FindBlockCipher(parts[0], specification), GcryptAeadMode.Gcm);
            case ("rfc4106", 1) when Ciphers.TrySplit(parts[0], out string gcm, out string[] of) && gcm == "gcm" && of.Length == 1:
                return new GcryptAeadMode(FindBlockCipher(of[0], specification), GcryptAeadMode.Gcm, saltSize: 4);
            case ("rfc4543", 1) when Ciphers.TrySplit(parts[0], out string gcm, out string[] of) && gcm == "gcm" && of.Length == 1:
                return new GcryptAeadMode(FindBlockCipher(of[0], specification), GcryptAeadMode.Gcm, saltSize: 4, encrypts: false);
            case ("rfc4309", 1) when Ciphers.TrySplit(parts[0], out string ccm, out string[] of) && ccm == "ccm" && of.Length == 1:
                return new GcryptAeadMode(FindBlockCipher(of[0], specification), GcryptAeadMode.Ccm, saltSize: 3);
            case ("rfc4106" or "rfc4543" or "rfc4309", 1):
                Ciphers.CreateMode(parts[0]).Dispose(); // one that is not there at all is told first
                throw new DmException(Errno.EINVAL, $"'{specification}': rfc4106 and rfc4543 go with gcm(...), and rfc4309 with ccm(...)");
            case ("rfc7539", 2) when parts is ["chacha20", "poly1305"]:
                return new GcryptAeadMode(Ciphers.ChaCha20, GcryptAeadMode.Poly1305);
            case ("rfc7539esp", 2) when parts is ["chacha20", "poly1305"]:
                return new GcryptAeadMode(Ciphers.ChaCha20, GcryptAeadMode.Poly1305, saltSize: 4);
            default:
                Ciphers.CreateMode(specification).Dispose(); // one that is not there at all is told first
                throw new DmException(Errno.EINVAL, $"the cipher '{specification}' does not authenticate");
        }
    }

    private static GcryptAlgorithm FindBlockCipher(string name, string specification)
    {
        GcryptAlgorithm algorithm = Ciphers.FindGcrypt(name) ?? throw NoSuch(specification);
        return algorithm.BlockSize == 16 ? algorithm
            : throw new DmException(Errno.EINVAL, $"'{specification}': {name} has blocks of {algorithm.BlockSize} bytes, and the mode needs 16");
    }

    private static DmException NoSuch(string name) => new(Errno.ENOENT, $"there is no cipher '{name}' that authenticates");
}
