using System.Runtime.CompilerServices;
using DeviceMapper.Cryptography;
using DeviceMapper.Io;
using DeviceMapper.Targets.Crypt.Iv;

namespace DeviceMapper.Targets.Crypt;

/// <summary>
/// The ciphers of a crypt target with their generator of initialisation vectors: encrypts and decrypts runs of sectors
/// (the kernel's <c>crypt_convert</c>). Used by many threads at once.
/// </summary>
internal sealed class CryptCipher : IDisposable
{
    private const int LargestSector = 4096;

    private readonly SectorCipher[] _ciphers; // sectors take turns; a power of two
    private readonly IvGenerator? _iv;
    private readonly KeyLayout _layout;
    private readonly int _sectorSize;
    private readonly int _ivShift; // from sectors of 512 bytes to those that the vectors count

    /// <summary>Makes the ciphers, without a key yet.</summary>
    /// <exception cref="DmException">ENOENT: there is no such cipher. EINVAL: cipher, generator and size of the key do not fit.</exception>
    public CryptCipher(CipherSpecification specification, int sectorSize, bool largeIvSectors, int keySize)
    {
        _sectorSize = sectorSize;
        _ivShift = largeIvSectors ? System.Numerics.BitOperations.Log2((uint)_sectorSize) - Sector.Shift : 0;
        _ciphers = new SectorCipher[specification.KeyCount];
        try
        {
            for (int i = 0; i < _ciphers.Length; i++)
            {
                _ciphers[i] = Ciphers.CreateMode(specification.Api);
            }

            _layout = new KeyLayout(_ciphers[0], _ciphers.Length, _sectorSize, keySize);
            if (specification.Iv is not null && _ciphers[0].IvSize > 0)
            {
                _iv = IvGenerator.Create(specification.Iv, _layout);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Bytes of each vector that the device below has to keep; 0 where vectors can be made again.</summary>
    public int StoredIvSize => _iv?.StoredSize ?? 0;

    /// <summary>Gives ciphers and generator their parts of a key; no I/O is in flight.</summary>
    /// <exception cref="DmException">EINVAL: a part has a size that the cipher does not take.</exception>
    public void SetKey(ReadOnlySpan<byte> key)
    {
        int size = _layout.CipherKeySize;
        for (int i = 0; i < _ciphers.Length; i++)
        {
            _ciphers[i].SetKey(key.Slice(i * size, size));
        }

        _iv?.TakeKey(key);
    }

    /// <summary>Forgets the key, for a random one.</summary>
    /// <param name="random">As long as the key.</param>
    public void WipeKey(ReadOnlySpan<byte> random)
    {
        SetKey(random);
        _iv?.WipeKey();
    }

    /// <summary>Encrypts whole sectors.</summary>
    /// <param name="source">The plaintext, which stays as it is.</param>
    /// <param name="destination">As long.</param>
    /// <param name="sector">The number of the first for its vector, in 512 bytes.</param>
    [SkipLocalsInit]
    public void Encrypt(BioBuffer source, Span<byte> destination, ulong sector)
    {
        Span<byte> joined = stackalloc byte[LargestSector];
        while (source.Length > 0)
        {
            int run = LengthOfRun(source);
            if (run > 0)
            {
                EncryptRun(source.Slice(0, run).Span, destination[..run], sector);
            }
            else
            {
                // A sector that lies in two pieces of the buffer.
                run = _sectorSize;
                source.Slice(0, run).CopyTo(joined[..run]);
                EncryptRun(joined[..run], destination[..run], sector);
            }

            source = source.Slice(run, source.Length - run);
            destination = destination[run..];
            sector += (ulong)run >> Sector.Shift;
        }
    }

    /// <summary>Decrypts whole sectors in place.</summary>
    /// <param name="buffer">The ciphertext, and then the plaintext.</param>
    /// <param name="sector">The number of the first for its vector, in 512 bytes.</param>
    [SkipLocalsInit]
    public void Decrypt(BioBuffer buffer, ulong sector)
    {
        Span<byte> joined = stackalloc byte[LargestSector];
        while (buffer.Length > 0)
        {
            int run = LengthOfRun(buffer);
            if (run > 0)
            {
                DecryptRun(buffer.Slice(0, run).Span, sector);
            }
            else
            {
                run = _sectorSize;
                BioBuffer pieces = buffer.Slice(0, run);
                pieces.CopyTo(joined[..run]);
                DecryptRun(joined[..run], sector);
                pieces.CopyFrom(joined[..run]);
            }

            buffer = buffer.Slice(run, buffer.Length - run);
            sector += (ulong)run >> Sector.Shift;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (SectorCipher cipher in _ciphers)
        {
            cipher?.Dispose(); // null where the constructor failed
        }

        _iv?.Dispose();
    }

    /// <summary>How many bytes of whole sectors the first piece of a buffer has.</summary>
    private int LengthOfRun(BioBuffer buffer)
    {
        BioBuffer.Enumerator pieces = buffer.GetEnumerator();
        pieces.MoveNext();
        return pieces.Current.Length & ~(_sectorSize - 1);
    }

    [SkipLocalsInit]
    private void EncryptRun(ReadOnlySpan<byte> source, Span<byte> destination, ulong sector)
    {
        Span<byte> iv = stackalloc byte[_layout.IvSize];
        int keys = _ciphers.Length - 1;
        if (_iv is { TakesData: true })
        {
            source.CopyTo(destination);
            source = destination;
        }

        for (int at = 0; at < source.Length; at += _sectorSize, sector += (ulong)_sectorSize >> Sector.Shift)
        {
            ReadOnlySpan<byte> plaintext = source.Slice(at, _sectorSize);
            Span<byte> ciphertext = destination.Slice(at, _sectorSize);
            ulong number = sector >> _ivShift;
            _iv?.BeforeEncryption(number, iv, ciphertext);
            _ciphers[(int)sector & keys].Encrypt(plaintext, ciphertext, iv);
            _iv?.AfterEncryption(number, ciphertext);
        }
    }

    [SkipLocalsInit]
    private void DecryptRun(Span<byte> data, ulong sector)
    {
        Span<byte> iv = stackalloc byte[_layout.IvSize];
        int keys = _ciphers.Length - 1;
        for (int at = 0; at < data.Length; at += _sectorSize, sector += (ulong)_sectorSize >> Sector.Shift)
        {
            Span<byte> block = data.Slice(at, _sectorSize);
            ulong number = sector >> _ivShift;
            _iv?.BeforeDecryption(number, iv, block);
            _ciphers[(int)sector & keys].Decrypt(block, block, iv);
            _iv?.AfterDecryption(number, block);
        }
    }
}
