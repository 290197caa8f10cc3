using System.Runtime.CompilerServices;
using DeviceMapper.Cryptography;
using DeviceMapper.Io;
using DeviceMapper.Targets.Crypt.Iv;

namespace DeviceMapper.Targets.Crypt;

/// <summary>
/// The ciphers of a crypt target that does not authenticate, with their generator of initialisation vectors (the kernel's
/// <c>crypt_convert_block_skcipher</c>).
/// </summary>
internal sealed class CryptCipher : DataCipher
{
    private readonly SectorCipher[] _ciphers; // sectors take turns; a power of two

    /// <summary>Makes the ciphers, without a key yet.</summary>
    /// <exception cref="DmException">ENOENT: there is no such cipher. EINVAL: cipher, generator and size of the key do not fit.</exception>
    public CryptCipher(CipherSpecification specification, int sectorSize, bool largeIvSectors, int keySize)
        : base(sectorSize, largeIvSectors)
    {
        _ciphers = new SectorCipher[specification.KeyCount];
        try
        {
            for (int i = 0; i < _ciphers.Length; i++)
            {
                _ciphers[i] = Ciphers.CreateMode(specification.Api);
            }

            KeyLayout layout = new(_ciphers[0].IvSize, _ciphers[0].BlockSize, _ciphers[0], _ciphers.Length, SectorSize, keySize);
            Lay(layout, _ciphers[0].IvSize > 0 ? specification.Iv : null);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (SectorCipher cipher in _ciphers)
        {
            cipher?.Dispose(); // null where the constructor failed
        }

        base.Dispose();
    }

    /// <inheritdoc/>
    protected override void SetCipherKeys(ReadOnlySpan<byte> key)
    {
        int size = Layout.CipherKeySize;
        for (int i = 0; i < _ciphers.Length; i++)
        {
            _ciphers[i].SetKey(key.Slice(i * size, size));
        }
    }

    /// <inheritdoc/>
    [SkipLocalsInit]
    protected override void EncryptRun(ReadOnlySpan<byte> source, Span<byte> destination, ulong sector, Span<byte> tags)
    {
        Span<byte> iv = stackalloc byte[Layout.IvSize];
        int keys = _ciphers.Length - 1;
        if (Iv is { TakesData: true })
        {
            source.CopyTo(destination);
            source = destination;
        }

        for (int at = 0; at < source.Length; at += SectorSize, sector += (ulong)SectorSize >> Sector.Shift)
        {
            ReadOnlySpan<byte> plaintext = source.Slice(at, SectorSize);
            Span<byte> ciphertext = destination.Slice(at, SectorSize);
            ulong number = sector >> IvShift;
            Iv?.BeforeEncryption(number, iv, ciphertext);
            _ciphers[(int)sector & keys].Encrypt(plaintext, ciphertext, iv);
            Iv?.AfterEncryption(number, ciphertext);
            if (TagStride != 0)
            {
                Keep(iv, tags.Slice(at / SectorSize * TagStride, TagStride));
            }
        }
    }

    /// <inheritdoc/>
    [SkipLocalsInit]
    protected override int DecryptRun(Span<byte> data, ulong sector, ReadOnlySpan<byte> tags)
    {
        Span<byte> iv = stackalloc byte[Layout.IvSize];
        int keys = _ciphers.Length - 1;
        for (int at = 0; at < data.Length; at += SectorSize, sector += (ulong)SectorSize >> Sector.Shift)
        {
            Span<byte> block = data.Slice(at, SectorSize);
            ulong number = sector >> IvShift;
            if (TagStride == 0)
            {
                Iv?.BeforeDecryption(number, iv, block);
            }
            else
            {
                tags.Slice(at / SectorSize * TagStride, iv.Length).CopyTo(iv);
            }

            _ciphers[(int)sector & keys].Decrypt(block, block, iv);
            Iv?.AfterDecryption(number, block);
        }

        return -1;
    }

    private static void Keep(ReadOnlySpan<byte> iv, Span<byte> tag)
    {
        iv.CopyTo(tag);
        tag[iv.Length..].Clear();
    }
}
