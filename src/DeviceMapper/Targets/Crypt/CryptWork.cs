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

    private CryptTarget _target = null!;
    private DataCipher _cipher = null!;
    private Bio _bio = null!;
    private BioBuffer _source;
    private nint _destination; // memory for the ciphertext of a write; 0 for a read
    private BioTags? _tags;
    private ulong _sector;
    private int _isWrong; // 1 once the tag of a sector was wrong

    /// <summary>Encrypts a bio's data into a buffer, puts that in the bio, and sends it.</summary>
    public static void Encrypt(CryptTarget target, Bio bio, ulong sector, nint destination) => Take(target, bio, sector, destination).Start();

    /// <summary>Decrypts a bio's data in place, and ends it.</summary>
    public static void Decrypt(CryptTarget target, Bio bio, ulong sector) => Take(target, bio, sector, 0).Start();

    /// <inheritdoc/>
    protected override void Do(int part)
    {
        int offset = part * PartSize;
        int length = Math.Min(PartSize, _source.Length - offset);
        ulong sector = _sector + ((ulong)offset >> Sector.Shift);
        BioBuffer source = _source.Slice(offset, length);
        Span<byte> tags = _tags is null ? default : _tags.Memory.Span.Slice(_cipher.TagBytes(offset), _cipher.TagBytes(length));
        if (_destination != 0)
        {
            _cipher.Encrypt(source, new BioBuffer(_destination + offset, length).Span, sector, tags);
        }
        else if (_cipher.Decrypt(source, sector, tags) is >= 0 and int wrong)
        {
            _target.TagIsWrong(sector + ((ulong)wrong >> Sector.Shift));
            Volatile.Write(ref _isWrong, 1);
        }
    }

    /// <inheritdoc/>
    protected override void Finish()
    {
        if (_destination == 0)
        {
            _tags?.Return();
            _bio.EndMapped(_isWrong == 0 ? BioStatus.Ok : BioStatus.Protection);
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
        _target = null!;
        _cipher = null!;
        _tags = null;
        _destination = 0;
        _source = default;
        _idle.Push(this);
    }

    private static CryptWork Take(CryptTarget target, Bio bio, ulong sector, nint destination)
    {
        if (!_idle.TryPop(out CryptWork? work))
        {
            work = new CryptWork();
        }

        work._target = target;
        work._cipher = target.Cipher;
        work._tags = bio.Tags;
        work._isWrong = 0;
        work._bio = bio;
        work._source = bio.Buffer;
        work._destination = destination;
        work._sector = sector;
        return work;
    }

    private void Start() => Start((_source.Length + PartSize - 1) / PartSize);
}
