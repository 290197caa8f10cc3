using DeviceMapper.Cryptography;

namespace DeviceMapper.Targets.Crypt.Iv;

/// <summary>What a key is divided into, and the cipher that it is for: what a generator of vectors looks at, and changes.</summary>
/// <param name="ivSize">Bytes of the cipher's vector; 0 without.</param>
/// <param name="blockSize">Bytes of the cipher's blocks.</param>
/// <param name="cipher">The first of the ciphers; null of one that authenticates.</param>
/// <param name="ciphers">How many there are.</param>
/// <param name="sectorSize">Bytes that are encrypted at once.</param>
/// <param name="keySize">Bytes of the whole key.</param>
internal sealed class KeyLayout(int ivSize, int blockSize, SectorCipher? cipher, int ciphers, int sectorSize, int keySize)
{
    /// <summary>The first of the ciphers; null of one that authenticates.</summary>
    public SectorCipher? Cipher { get; } = cipher;

    /// <summary>Bytes of the cipher's vector.</summary>
    public int CipherIvSize { get; } = ivSize;

    /// <summary>Bytes of the cipher's blocks.</summary>
    public int BlockSize { get; } = blockSize;

    /// <summary>How many ciphers there are, each with a key of its own.</summary>
    public int Ciphers { get; } = ciphers;

    /// <summary>Bytes that are encrypted at once.</summary>
    public int SectorSize { get; } = sectorSize;

    /// <summary>Bytes of the whole key.</summary>
    public int KeySize { get; } = keySize;

    /// <summary>Bytes of a vector: at least 8, a sector's number.</summary>
    public int IvSize { get; } = Math.Max(ivSize, sizeof(ulong));

    /// <summary>Equal parts that the key has: one for each cipher, and those of a generator.</summary>
    public int Parts { get; set; } = ciphers;

    /// <summary>Bytes at the end of the key that are the generator's.</summary>
    public int ExtraSize { get; set; }

    /// <summary>Bytes of the key of each cipher.</summary>
    public int CipherKeySize => (KeySize - ExtraSize) / Ciphers;
}
