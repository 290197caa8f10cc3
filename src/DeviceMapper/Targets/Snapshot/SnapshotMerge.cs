using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Snapshots;

/// <summary>What becomes of a bio to a snapshot that is being merged.</summary>
internal enum MergeMap
{
    /// <summary>It has been mapped to its chunk on the COW device.</summary>
    ToCow,

    /// <summary>It waits until its chunk is merged, and is sent to the origin then.</summary>
    Queued,

    /// <summary>The chunk is merged.</summary>
    ToOrigin,
}

/// <summary>
/// Copies the chunks of a snapshot back to its origin, from the last exception to the first, on a thread of its own: other snapshots keep what
/// the origin has, then a run is copied, the origin flushed, and the exceptions removed (the kernel's <c>snapshot_merge_next_chunks</c>).
/// </summary>
internal sealed class SnapshotMerge(Snapshot snapshot)
{
    private readonly Lock _lock = new();
    private readonly BioList _queued = new();
    private Thread? _thread;
    private volatile bool _stopping;
    private ulong _first; // chunks that are being merged; guarded by _lock
    private int _count;

    /// <summary>Whether it ended with an error.</summary>
    public bool Failed { get; private set; }

    /// <summary>Starts to merge, or goes on.</summary>
    public void Start()
    {
        if (_thread is not null)
        {
            return;
        }

        _stopping = false;
        _thread = new Thread(Run) { IsBackground = true, Name = "snapshot-merge" };
        _thread.Start();
    }

    /// <summary>Stops after the run of chunks under way.</summary>
    public void Stop()
    {
        _stopping = true;
        _thread?.Join();
        _thread = null;
    }

    /// <summary>Maps a bio to a chunk that has an exception, or had one a moment ago.</summary>
    public MergeMap Map(Bio bio, ulong chunk, BlockDevice origin)
    {
        lock (_lock)
        {
            if (!snapshot.Exceptions.TryFind(chunk, out ulong newChunk))
            {
                return MergeMap.ToOrigin;
            }

            if (bio.IsWrite && chunk - _first < (ulong)_count)
            {
                bio.Device = origin;
                _queued.Add(bio);
                return MergeMap.Queued;
            }

            if (bio.IsWrite)
            {
                snapshot.BeginWrite(chunk);
                bio.ContextValue = chunk + 1;
            }

            snapshot.Remap(bio, newChunk);
            return MergeMap.ToCow;
        }
    }

    private void Run()
    {
        try
        {
            while (!_stopping && snapshot.IsValid && !Failed)
            {
                if (!MergeNext())
                {
                    return;
                }
            }
        }
        catch (DmException)
        {
            Fail();
        }
    }

    /// <returns>False when nothing is left.</returns>
    private bool MergeNext()
    {
        (ulong lastOld, ulong lastNew, int count) = snapshot.Store.PrepareMerge();
        if (count == 0)
        {
            return false;
        }

        ulong first = lastOld + 1 - (ulong)count;
        SectorCount chunkSize = new(snapshot.Store.ChunkSize);
        SectorCount length = new((ulong)count * chunkSize.Value);
        Sector to = new(first * chunkSize.Value);
        snapshot.Origin.WaitUntilKept(to, length);
        lock (_lock)
        {
            _first = first;
            _count = count;
        }

        for (int i = 0; i < count; i++)
        {
            snapshot.WaitForBios(first + (ulong)i);
        }

        RunCopy run = new(snapshot, new Sector((lastNew + 1 - (ulong)count) * chunkSize.Value), to, length);
        if (!run.Copy(snapshot.Copier) || BlockingIo.Flush(snapshot.Devices.Origin) != BioStatus.Ok || !snapshot.Store.CommitMerge(count))
        {
            Fail();
            return false;
        }

        for (int i = 0; i < count; i++)
        {
            snapshot.Exceptions.Remove(first + (ulong)i);
        }

        for (Bio? bio = TakeQueued(), next; bio is not null; bio = next)
        {
            next = bio.Next;
            bio.Next = null;
            bio.Send();
        }

        return true;
    }

    private void Fail()
    {
        Failed = true;
        for (Bio? bio = TakeQueued(), next; bio is not null; bio = next)
        {
            next = bio.Next;
            bio.Next = null;
            bio.End(BioStatus.IoError);
        }
    }

    private Bio? TakeQueued()
    {
        lock (_lock)
        {
            _count = 0;
            return _queued.TakeAll();
        }
    }

    /// <summary>The copy of a run of chunks.</summary>
    private sealed class RunCopy : CopyJob
    {
        private bool _ended;
        private bool _copied;

        public RunCopy(Snapshot snapshot, Sector from, Sector to, SectorCount length)
        {
            Source = snapshot.Devices.Cow;
            SourceSector = from;
            Destination = snapshot.Devices.Origin;
            DestinationSector = to;
            CopyLength = SectorCount.Min(length, Destination.Size - (to - default(Sector)));
        }

        /// <summary>Copies, and waits for the end.</summary>
        /// <returns>Whether all was copied.</returns>
        public bool Copy(Copier copier)
        {
            copier.Start(this);
            lock (this)
            {
                while (!_ended)
                {
                    Monitor.Wait(this);
                }
            }

            return _copied;
        }

        protected override void CopyEnded(BioStatus read, BioStatus write)
        {
            lock (this)
            {
                _ended = true;
                _copied = read == BioStatus.Ok && write == BioStatus.Ok;
                Monitor.Pulse(this);
            }
        }
    }
}
