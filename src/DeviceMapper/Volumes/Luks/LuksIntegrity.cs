using System.Globalization;
using DeviceMapper.Cryptography;
using DeviceMapper.Cryptography.Digests;
using DeviceMapper.Targets.Crypt;

namespace DeviceMapper.Volumes.Luks;

/// <summary>
/// How a volume's sectors are authenticated: each has a tag, for which an integrity device below crypt has the place. cryptsetup's names are turned
/// into those of the kernel's crypto API.
/// </summary>
/// <param name="Type">
/// <c>hmac(HASH)</c> or <c>cmac(aes)</c>, beside the cipher; <c>poly1305</c>; <c>aead</c>, where the cipher itself authenticates; <c>none</c>, where
/// the tag is only the sector's vector.
/// </param>
/// <param name="KeySize">Bytes at the end of the volume's key that authenticate, where the header says it; else as many as the tag has.</param>
internal sealed record LuksIntegrity(string Type, int? KeySize)
{
    private const int AuthenticationSize = 16; // bytes, of all that is no hash
    private const string Hmac = "hmac(";

    /// <summary>Bytes of the volume's key that authenticate.</summary>
    public int AuthenticationKeySize => KeySize ?? (Type.StartsWith(Hmac, StringComparison.Ordinal) ? HashSize() : Type == "cmac(aes)" ? AuthenticationSize : 0);

    /// <summary>Refuses what is not known.</summary>
    public LuksIntegrity Checked() =>
        Type is "none" or "aead" or "poly1305" or "cmac(aes)" || (Type.StartsWith(Hmac, StringComparison.Ordinal) && Type.EndsWith(')'))
            ? this
            : throw LuksHeader.Damaged($"the volume authenticates its sectors by '{Type}', which udm does not have");

    /// <summary>The cipher as in crypt's table.</summary>
    /// <param name="cipher">As the header says it: <c>aes-xts-plain64</c>, or without a mode <c>chacha20-random</c>.</param>
    public string CryptName(string cipher)
    {
        (string name, string mode, string iv) = Split(cipher);
        string plain = mode.Length == 0 ? name : $"{mode}({name})";
        string authenticated = Type switch
        {
            "none" => plain,
            "aead" when mode == "ccm" => $"rfc4309({plain})",
            "aead" => plain,
            "poly1305" => $"rfc7539({plain},poly1305)",
            _ => $"authenc({Type},{plain})",
        };
        return $"capi:{authenticated}-{iv}";
    }

    /// <summary>Bytes of a sector's tag: its vector, where that is random, and what authenticates.</summary>
    /// <param name="cipher">As the header says it.</param>
    /// <exception cref="DmException">ENOENT: there is no such hash.</exception>
    public int TagSize(string cipher)
    {
        (string name, string mode, string iv) = Split(cipher);
        int vector = iv != "random" ? 0
            : Type == "poly1305" ? 12
            : mode switch
            {
                "gcm" => 12,
                "ccm" => 8,
                "xts" or "ctr" => 16,
                "" => name == "aegis256" ? 32 : 16,
                _ => 0, // cryptsetup has no more place than the authentication needs, which the vector then takes a part of
            };
        return vector + (Type == "none" ? 0 : Type.StartsWith(Hmac, StringComparison.Ordinal) ? HashSize() : AuthenticationSize);
    }

    /// <summary>The options of crypt for it.</summary>
    /// <param name="cipher">As the header says it.</param>
    public IEnumerable<string> Options(string cipher)
    {
        yield return string.Create(CultureInfo.InvariantCulture, $"integrity:{TagSize(cipher)}:{(Type == "none" ? "none" : "aead")}");
        if (KeySize is not null)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"integrity_key_size:{KeySize}");
        }
    }

    /// <summary>What encrypts; it has no key yet.</summary>
    /// <param name="cipher">As the header says it.</param>
    /// <param name="sectorSize">Bytes that are encrypted at once.</param>
    /// <param name="keySize">Bytes of the volume's key.</param>
    /// <exception cref="DmException">ENOENT: there is no such cipher. EINVAL: it does not fit the key.</exception>
    public DataCipher NewCipher(string cipher, int sectorSize, int keySize)
    {
        CipherSpecification specification = CipherSpecification.Parse(CryptName(cipher), authenticated: Type != "none");
        return Type == "none" ? new CryptCipher(specification, sectorSize, largeIvSectors: false, keySize)
            : new AuthenticatedCipher(specification, sectorSize, largeIvSectors: false, keySize, KeySize);
    }

    private static (string Name, string Mode, string Iv) Split(string cipher) => cipher.Split('-', 3) switch
    {
        [string name, string mode, string iv] => (name, mode, iv),
        [string name, string iv] => (name, "", iv),
        _ => throw LuksHeader.Damaged($"the volume's cipher '{cipher}' has no vectors, which authenticated sectors need"),
    };

    private int HashSize()
    {
        using Digest hash = Digest.Create(Type[Hmac.Length..^1]);
        return hash.Size;
    }
}
