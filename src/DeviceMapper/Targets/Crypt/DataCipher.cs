using System.Numerics;
using System.Runtime.CompilerServices;
using DeviceMapper.Io;
using DeviceMapper.Targets.Crypt.Iv;

namespace DeviceMapper.Targets.Crypt;

/// <summary>
/// What a crypt target does to its data: encrypts and decrypts runs of sectors, with what the device below keeps for each of them where it keeps
/// something (the kernel's <c>crypt_convert</c>). Used by many threads at once.
/// </summary>
/// <param name="sectorSize">Bytes that are encrypted at once.</param>
/// <param name="largeIvSectors">Vectors count sectors of that size, not of 512 bytes.</param>
internal abstract class DataCipher(int sectorSize, bool largeIvSectors) : IDisposable
{
    private const int LargestSector = 4096;

    /// <summary>Bytes that the device below keeps for each sector; 0 where it keeps nothing. Set once, before any I/O.</summary>
    public int TagStride { get; protected set; }

    /// <summary>What was added to the target's sectors to number them for vectors. Set once, before any I/O.</summary>
    public ulong IvOffset { get; set; }

    /// <summary>Bytes of each vector that the device below has to keep; 0 where vectors can be made again.</summary>
    public int StoredIvSize => Iv?.StoredSize ?? 0;

    /// <summary>Makes the vectors; null where the cipher has none.</summary>
    protected IvGenerator? Iv { get; private set; }

    /// <summary>How the key is parted.</summary>
    protected KeyLayout Layout { get; private set; } = null!;

    /// <summary>Bytes that are encrypted at once.</summary>
    protected int SectorSize { get; } = sectorSize;

    /// <summary>How far numbers of 512-byte sectors are shifted to those that vectors count.</summary>
    protected int IvShift { get; } = largeIvSectors ? BitOperations.Log2((uint)sectorSize) - Sector.Shift : 0;

    /// <summary>Gives ciphers and generator their parts of a key; no I/O is in flight.</summary>
    /// <exception cref="DmException">EINVAL: a part has a size that the cipher does not take.</exception>
    public void SetKey(ReadOnlySpan<byte> key)
    {
        SetCipherKeys(key);
        Iv?.TakeKey(key);
    }

    /// <summary>Forgets the key, for a random one.</summary>
    /// <param name="random">As long as the key.</param>
    public void WipeKey(ReadOnlySpan<byte> random)
    {
        SetKey(random);
        Iv?.WipeKey();
    }

    /// <summary>Adds how the key is parted.</summary>
    public void Measure(Measurement measurement) =>
        measurement.Add("key_parts", Layout.Parts).Add("key_extra_size", Layout.ExtraSize).Add("key_mac_size", AuthenticationKeySize);

    /// <summary>Uses what the device below keeps.</summary>
    /// <param name="used">Bytes that the table says.</param>
    /// <param name="kept">Bytes that the device keeps, at least as many.</param>
    /// <exception cref="DmException">EINVAL: a tag of this size does not go with the cipher.</exception>
    public virtual void UseTags(int used, int kept)
    {
        if (StoredIvSize > kept)
        {
            throw new DmException(Native.Errno.EINVAL, $"crypt: the device below keeps {kept} bytes for a sector, and the vector has {StoredIvSize}");
        }

        TagStride = kept;
    }

    /// <summary>Encrypts whole sectors.</summary>
    /// <param name="source">The plaintext, which stays as it is.</param>
    /// <param name="destination">As long.</param>
    /// <param name="sector">The number of the first for its vector, in 512 bytes.</param>
    /// <param name="tags"><see cref="TagStride"/> bytes for each sector, filled.</param>
    [SkipLocalsInit]
    public void Encrypt(BioBuffer source, Span<byte> destination, ulong sector, Span<byte> tags = default)
    {
        Span<byte> joined = stackalloc byte[LargestSector];
        while (source.Length > 0)
        {
            int run = LengthOfRun(source);
            if (run > 0)
            {
                EncryptRun(source.Slice(0, run).Span, destination[..run], sector, tags);
            }
            else
            {
                // A sector that lies in two pieces of the buffer.
                run = SectorSize;
                source.Slice(0, run).CopyTo(joined[..run]);
                EncryptRun(joined[..run], destination[..run], sector, tags);
            }

            source = source.Slice(run, source.Length - run);
            destination = destination[run..];
            sector += (ulong)run >> Sector.Shift;
            tags = tags[TagBytes(run)..];
        }
    }

    /// <summary>Decrypts whole sectors in place.</summary>
    /// <param name="buffer">The ciphertext, and then the plaintext.</param>
    /// <param name="sector">The number of the first for its vector, in 512 bytes.</param>
    /// <param name="tags"><see cref="TagStride"/> bytes for each sector.</param>
    /// <returns>How many bytes lie before the first sector whose tag is wrong, which ends it; -1 where all are right.</returns>
    [SkipLocalsInit]
    public int Decrypt(BioBuffer buffer, ulong sector, ReadOnlySpan<byte> tags = default)
    {
        Span<byte> joined = stackalloc byte[LargestSector];
        int done = 0;
        while (buffer.Length > 0)
        {
            int run = LengthOfRun(buffer);
            int wrong;
            if (run > 0)
            {
                wrong = DecryptRun(buffer.Slice(0, run).Span, sector, tags);
            }
            else
            {
                run = SectorSize;
                BioBuffer pieces = buffer.Slice(0, run);
                pieces.CopyTo(joined[..run]);
                wrong = DecryptRun(joined[..run], sector, tags);
                pieces.CopyFrom(joined[..run]);
            }

            if (wrong >= 0)
            {
                return done + wrong;
            }

            done += run;
            buffer = buffer.Slice(run, buffer.Length - run);
            sector += (ulong)run >> Sector.Shift;
            tags = tags[TagBytes(run)..];
        }

        return -1;
    }

    /// <summary>Bytes that the device below keeps for data.</summary>
    public int TagBytes(int dataBytes) => TagStride == 0 ? 0 : dataBytes / SectorSize * TagStride;

    /// <inheritdoc/>
    public virtual void Dispose() => Iv?.Dispose();

    /// <summary>Parts the key, and makes the generator that the table asks for; once, by the constructor.</summary>
    /// <exception cref="DmException">EINVAL: cipher, generator and size of the key do not fit.</exception>
    protected void Lay(KeyLayout layout, string? generator)
    {
        Layout = layout;
        Iv = generator is null ? null : IvGenerator.Create(generator, layout);
    }

    /// <summary>Bytes of the key that authenticate.</summary>
    protected virtual int AuthenticationKeySize => 0;

    /// <summary>Gives the ciphers their parts of a key.</summary>
    /// <exception cref="DmException">EINVAL: a part has a size that the cipher does not take.</exception>
    protected abstract void SetCipherKeys(ReadOnlySpan<byte> key);

    /// <summary>Encrypts sectors that lie in one piece.</summary>
    protected abstract void EncryptRun(ReadOnlySpan<byte> source, Span<byte> destination, ulong sector, Span<byte> tags);

    /// <summary>Decrypts sectors that lie in one piece.</summary>
    /// <returns>How many bytes lie before the first sector whose tag is wrong; -1 where all are right.</returns>
    protected abstract int DecryptRun(Span<byte> data, ulong sector, ReadOnlySpan<byte> tags);

    /// <summary>How many bytes of whole sectors the first piece of a buffer has.</summary>
    private int LengthOfRun(BioBuffer buffer)
    {
        BioBuffer.Enumerator pieces = buffer.GetEnumerator();
        pieces.MoveNext();
        return pieces.Current.Length & ~(SectorSize - 1);
    }
}
