using System.Collections.Concurrent;
using DeviceMapper.Cryptography;
using DeviceMapper.Cryptography.Digests;
using DeviceMapper.Io;

namespace DeviceMapper.Targets.Verity;

/// <summary>
/// The verification of a read whose hashes are not all known, or whose data is bad: reads the missing blocks of the tree one after the other,
/// and has bad blocks repaired on a thread that may wait. Pooled.
/// </summary>
internal sealed class VerityRead : IBioCompletion, IThreadPoolWorkItem
{
    private static readonly ConcurrentStack<VerityRead> _idle = new();

    private readonly byte[] _expected = new byte[Digest.LargestSize]; // of the block of the tree that is being read
    private VerityTarget _target = null!;
    private Bio _bio = null!;
    private bool _failed; // the read itself did
    private int _block; // the next to verify, of the bio's
    private BufferSegment _memory; // for a block of the tree
    private ulong _hashBlock;
    private bool _hashWasRead;
    private bool _repairsHash;

    private VerityRead()
    {
    }

    private ReadOnlySpan<byte> Expected => _expected.AsSpan(0, _target.Tree.DigestSize);

    /// <summary>Goes on with a read that has ended, and ends its bio.</summary>
    /// <param name="target">Whose it is.</param>
    /// <param name="bio">The clone; its <see cref="Bio.ContextValue"/> is its first block.</param>
    /// <param name="verified">How many of its blocks are good.</param>
    /// <param name="failed">Whether it ended with an error, so that error correction has to make its data.</param>
    public static void Start(VerityTarget target, Bio bio, int verified, bool failed)
    {
        if (!_idle.TryPop(out VerityRead? read))
        {
            read = new VerityRead();
        }

        read._target = target;
        read._bio = bio;
        read._block = verified;
        read._failed = failed;
        read.Continue();
    }

    /// <inheritdoc/>
    void IBioCompletion.BioEnded(Bio bio)
    {
        _hashWasRead = bio.Status == BioStatus.Ok;
        bio.Return();
        Span<byte> content = _memory.Span[.._target.Tree.HashBlockSize];
        if (_hashWasRead && _target.Tree.Matches(content, Expected))
        {
            TakeHash(content);
            return;
        }

        _repairsHash = true;
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <inheritdoc/>
    void IThreadPoolWorkItem.Execute()
    {
        bool good;
        if (_repairsHash)
        {
            _repairsHash = false;
            Span<byte> content = _memory.Span[.._target.Tree.HashBlockSize];
            good = _target.RepairHash(_hashBlock, Expected, content, _hashWasRead);
            if (good)
            {
                TakeHash(content);
                return;
            }
        }
        else
        {
            good = _target.RepairData(_bio.ContextValue + (ulong)_block, _target.BlockOf(_bio, _block), _failed);
            if (good)
            {
                _block++;
                Continue();
                return;
            }
        }

        End(BioStatus.IoError);
    }

    private void TakeHash(ReadOnlySpan<byte> content)
    {
        _target.Tree.Remember(_hashBlock, content);
        BufferPool.Return(_memory);
        _memory = default;
        Continue();
    }

    /// <summary>Verifies blocks until one has to be waited for. The bio and this belong to somebody else when it returns.</summary>
    private void Continue()
    {
        int count = _target.BlocksIn(_bio);
        for (; _block < count; _block++)
        {
            switch (_target.Check(_bio.ContextValue + (ulong)_block, _target.BlockOf(_bio, _block), _failed))
            {
                case BlockState.HashUnknown:
                    ReadHash();
                    return;
                case BlockState.Corrupt:
                    ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
                    return;
            }
        }

        End(BioStatus.Ok);
    }

    private void ReadHash()
    {
        HashTree tree = _target.Tree;
        _hashBlock = tree.NextToRead(_bio.ContextValue + (ulong)_block, out ReadOnlySpan<byte> expected);
        expected.CopyTo(_expected);
        _memory = BufferPool.Rent(tree.HashBlockSize);
        SectorCount size = SectorCount.FromBytes((ulong)tree.HashBlockSize);
        Bio bio = Bio.Rent();
        bio.Operation = BioOperation.Read;
        bio.Device = _target.HashDevice;
        bio.Sector = new Sector(_hashBlock * size.Value);
        bio.Count = size;
        bio.Buffer = new BioBuffer(_memory.Address, tree.HashBlockSize);
        bio.Submit(this);
    }

    private void End(BioStatus status)
    {
        if (_memory.Length > 0)
        {
            BufferPool.Return(_memory);
            _memory = default;
        }

        Bio bio = _bio;
        _bio = null!;
        _target = null!;
        _idle.Push(this);
        bio.EndMapped(status);
    }
}
