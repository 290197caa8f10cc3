using DeviceMapper.Io;

namespace DeviceMapper.Mapping;

/// <summary>
/// Copies runs of sectors from device to device, or zeroes them, without a thread: each end of a bio starts the next step
/// (the part of the kernel's kcopyd, drivers/md/dm-kcopyd.c).
/// </summary>
/// <remarks>
/// A job goes on in pieces of <see cref="PieceLength"/>, jobs go on side by side, and all of them together use no more memory than they
/// may: others wait, first come first served. Each user of copies has a copier of its own, as a copy may lead to a
/// device whose own copies it must wait for.
/// </remarks>
internal sealed class Copier
{
    /// <summary>The most that is read or written at once, in bytes (the kernel's <c>kcopyd_subjob_size_kb</c>).</summary>
    public const int PieceLength = 512 << 10;

    private readonly Lock _lock = new();
    private readonly int _limit; // bytes
    private int _inUse; // bytes
    private CopyJob? _firstWaiting;
    private CopyJob? _lastWaiting;

    /// <summary>Makes a copier.</summary>
    /// <param name="limit">The most memory that it uses, in bytes; at least a piece.</param>
    public Copier(int limit = 4 << 20) => _limit = Math.Max(limit, PieceLength);

    /// <summary>Starts a job; its <c>CopyEnded</c> tells the end, perhaps before this returns.</summary>
    public void Start(CopyJob job)
    {
        job.Reset(this);
        if (job.TryWriteZeroes())
        {
            return;
        }

        BufferSegment buffer;
        lock (_lock)
        {
            if (_firstWaiting is not null || !TryTake(job, out buffer))
            {
                Queue(job);
                return;
            }
        }

        job.Run(buffer);
    }

    /// <summary>A job gives its memory back: others go on.</summary>
    internal void GiveBack(BufferSegment buffer)
    {
        lock (_lock)
        {
            _inUse -= buffer.Length;
        }

        BufferPool.Return(buffer);
        while (true)
        {
            CopyJob job;
            lock (_lock)
            {
                if (_firstWaiting is null || !TryTake(_firstWaiting, out buffer))
                {
                    return;
                }

                job = _firstWaiting;
                _firstWaiting = job.NextWaiting;
                if (_firstWaiting is null)
                {
                    _lastWaiting = null;
                }
            }

            job.Run(buffer);
        }
    }

    private void Queue(CopyJob job)
    {
        job.NextWaiting = null;
        if (_lastWaiting is null)
        {
            _firstWaiting = job;
        }
        else
        {
            _lastWaiting.NextWaiting = job;
        }

        _lastWaiting = job;
    }

    private bool TryTake(CopyJob job, out BufferSegment buffer)
    {
        buffer = default;
        if (_inUse > 0 && _inUse + job.NextPiece > _limit)
        {
            return false;
        }

        buffer = BufferPool.Rent(job.NextPiece);
        _inUse += buffer.Length;
        return true;
    }
}
