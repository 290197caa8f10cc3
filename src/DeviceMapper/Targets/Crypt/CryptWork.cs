using System.Collections.Concurrent;
using DeviceMapper.Io;

namespace DeviceMapper.Targets.Crypt;

/// <summary>The encryption or decryption of a large bio by several processors.</summary>
internal sealed class CryptWork : SplitWork
{
    /// <summary>Bios from this size on are split, in bytes: below, to wake another thread takes longer than it saves.</summary>
    public const int SmallestBio = 64 << 10;

    private const int PartSize = 16 << 10; // bytes; a multiple of every size of sectors

    private static readonly ConcurrentStack<CryptWork> _idle = new();

    private CryptCipher _cipher = null!;
    private Bio _bio = null!;
    private BioBuffer _source;
    private nint _destination; // memory for the ciphertext of a write; 0 for a read
    private ulong _sector;

    /// <summary>Encrypts a bio's data into a buffer, puts that in the bio, and sends it.</summary>
    public static void Encrypt(CryptCipher cipher, Bio bio, ulong sector, nint destination) => Take(cipher, bio, sector, destination).Start();

    /// <summary>Decrypts a bio's data in place, and ends it.</summary>
    public static void Decrypt(CryptCipher cipher, Bio bio, ulong sector) => Take(cipher, bio, sector, 0).Start();

    /// <inheritdoc/>
    protected override void Do(int part)
    {
        int offset = part * PartSize;
        int length = Math.Min(PartSize, _source.Length - offset);
        ulong sector = _sector + ((ulong)offset >> Sector.Shift);
        BioBuffer source = _source.Slice(offset, length);
        if (_destination == 0)
        {
            _cipher.Decrypt(source, sector);
        }
        else
        {
            _cipher.Encrypt(source, new BioBuffer(_destination + offset, length).Span, sector);
        }
    }

    /// <inheritdoc/>
    protected override void Finish()
    {
        if (_destination == 0)
        {
            _bio.EndMapped(BioStatus.Ok);
        }
        else
        {
            _bio.Buffer = new BioBuffer(_destination, _source.Length);
            _bio.Send();
        }
    }

    /// <inheritdoc/>
    protected override void Recycle()
    {
        _bio = null!;
        _cipher = null!;
        _destination = 0;
        _source = default;
        _idle.Push(this);
    }

    private static CryptWork Take(CryptCipher cipher, Bio bio, ulong sector, nint destination)
    {
        if (!_idle.TryPop(out CryptWork? work))
        {
            work = new CryptWork();
        }

        work._cipher = cipher;
        work._bio = bio;
        work._source = bio.Buffer;
        work._destination = destination;
        work._sector = sector;
        return work;
    }

    private void Start() => Start((_source.Length + PartSize - 1) / PartSize);
}
