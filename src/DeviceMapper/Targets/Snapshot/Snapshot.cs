using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Snapshots;

/// <summary>
/// What a snapshot is, apart from the table that shows it: the exceptions, the store, and what is on its way. At a handover it passes whole
/// from one target to the next, so that writes to the origin may go on meanwhile (the kernel's <c>dm_snapshot</c>, drivers/md/dm-snap.c).
/// </summary>
/// <remarks>
/// Chunks are spread over stripes, each with a lock; a chunk that is complete is found without one. Under its chunk's lock a
/// read is either counted as on its way to the origin, or sees the exception: so an exception ends only after the reads that began before it.
/// </remarks>
internal sealed class Snapshot
{
    private const int StripeCount = 64;

    private readonly Stripe[] _stripes = [.. Enumerable.Range(0, StripeCount).Select(_ => new Stripe())];
    private readonly Lock _invalidating = new();
    private readonly BioList _snapshotBiosOfInvalidation = new();
    private readonly BioList _originBiosOfInvalidation = new();
    private volatile bool _invalid;
    private volatile bool _stopped;
    private SnapshotDevices? _headerDevices; // guarded by _invalidating: the header is being written there

    public Snapshot(ExceptionStore store, SnapshotDevices devices, Origin origin)
    {
        Store = store;
        Devices = devices;
        Origin = origin;
        Store.Devices = devices;
    }

    /// <summary>Its chunks on the COW device.</summary>
    public ExceptionStore Store { get; }

    /// <summary>Chunks that have been copied, or written.</summary>
    public ExceptionTable Exceptions { get; } = new();

    /// <summary>Its origin's list of snapshots.</summary>
    public Origin Origin { get; }

    /// <summary>Copies chunks.</summary>
    public Copier Copier { get; } = new();

    /// <summary>The devices for new copies.</summary>
    public SnapshotDevices Devices { get; private set; }

    /// <summary>Whether it still shows what the origin had.</summary>
    public bool IsValid => !_invalid;

    /// <summary>Whether it is full, and says so by itself (<c>PO</c>).</summary>
    public bool Overflowed { get; private set; }

    /// <summary>Whether it is being merged: nothing is kept for it any more.</summary>
    public bool Merging { get; private set; }

    /// <summary>The size of its table: the origin beyond is not kept.</summary>
    public SectorCount Size { get; private set; }

    /// <summary>The table that shows it, which hears of its events.</summary>
    public Table? Table { get; private set; }

    /// <summary>The chunk of a sector.</summary>
    public ulong ChunkOf(Sector sector) => sector.Value / Store.ChunkSize;

    /// <summary>Sends a bio to where its chunk is.</summary>
    public void Remap(Bio bio, ulong newChunk)
    {
        bio.Device = Devices.Cow;
        bio.Sector = new Sector((newChunk * Store.ChunkSize) + (bio.Sector.Value & (Store.ChunkSize - 1)));
    }

    /// <summary>
    /// Keeps all that a write to the origin overwrites.
    /// </summary>
    /// <param name="start">Its first sector.</param>
    /// <param name="count">How many.</param>
    /// <param name="bio">The write, which waits for one chunk of those that are not kept yet, and is tried again then; or null.</param>
    /// <returns>Whether it has to wait.</returns>
    public bool Keep(Sector start, SectorCount count, Bio? bio)
    {
        ulong end = Math.Min((start + count).Value, Size.Value);
        bool waits = false;
        for (ulong at = start.Value; at < end; at = (at | (Store.ChunkSize - 1)) + 1)
        {
            waits |= Keep(at / Store.ChunkSize, waits ? null : bio);
        }

        return waits;
    }

    /// <summary>Belongs to another target from now on.</summary>
    public void MoveTo(Target target, SnapshotDevices devices, bool merging)
    {
        foreach (Stripe stripe in _stripes)
        {
            Monitor.Enter(stripe);
        }

        Devices = devices;
        Store.Devices = devices;
        Size = target.Table.Size;
        Table = target.Table;
        Merging = merging;
        foreach (Stripe stripe in _stripes)
        {
            Monitor.Exit(stripe);
        }
    }

    /// <summary>No exception begins any more.</summary>
    public void Stop()
    {
        foreach (Stripe stripe in _stripes)
        {
            lock (stripe)
            {
                _stopped = true;
            }
        }
    }

    /// <summary>Marks it invalid without a word on the COW device: found so, or given up at a handover.</summary>
    public void MarkInvalid() => _invalid = true;

    /// <summary>
    /// Counts a read, or a discard, as on its way to the origin; <see cref="EndRead"/> when it has ended.
    /// </summary>
    /// <returns>False where the chunk is complete by now, at <paramref name="newChunk"/>.</returns>
    public bool TryBeginRead(ulong chunk, out ulong newChunk)
    {
        Stripe stripe = StripeOf(chunk);
        lock (stripe)
        {
            if (Exceptions.TryFind(chunk, out newChunk))
            {
                return false;
            }

            stripe.Reads[chunk] = stripe.Reads.GetValueOrDefault(chunk) + 1;
            return true;
        }
    }

    /// <summary>A bio that was counted has ended.</summary>
    public void EndRead(ulong chunk)
    {
        Stripe stripe = StripeOf(chunk);
        PendingException? ready = null;
        lock (stripe)
        {
            int left = stripe.Reads[chunk] - 1;
            if (left > 0)
            {
                stripe.Reads[chunk] = left;
                return;
            }

            stripe.Reads.Remove(chunk);
            Monitor.PulseAll(stripe);
            if (stripe.Pending.TryGetValue(chunk, out PendingException? pending) && pending.WaitsForReads)
            {
                stripe.Remove(chunk);
                ready = pending;
            }
        }

        if (ready is not null)
        {
            Release(ready, failed: false);
        }
    }

    /// <summary>Counts a write to the COW device while it is merged; <see cref="EndRead"/> when it has ended.</summary>
    public void BeginWrite(ulong chunk)
    {
        Stripe stripe = StripeOf(chunk);
        lock (stripe)
        {
            stripe.Reads[chunk] = stripe.Reads.GetValueOrDefault(chunk) + 1;
        }
    }

    /// <summary>Waits until no counted bio uses a chunk.</summary>
    public void WaitForBios(ulong chunk)
    {
        Stripe stripe = StripeOf(chunk);
        lock (stripe)
        {
            while (stripe.Reads.ContainsKey(chunk))
            {
                Monitor.Wait(stripe);
            }
        }
    }

    /// <summary>
    /// A write to the snapshot, to a chunk that was not complete when it came.
    /// </summary>
    /// <param name="bio">The write, within one chunk.</param>
    /// <param name="chunk">The chunk.</param>
    /// <param name="whole">The exception that the bio makes, by overwriting the whole chunk.</param>
    /// <returns>Whether the bio is kept; else it is mapped to the COW device, and the caller sends it.</returns>
    public bool Write(Bio bio, ulong chunk, out PendingException? whole)
    {
        Stripe stripe = StripeOf(chunk);
        PendingException? pending;
        whole = null;
        lock (stripe)
        {
            if (Exceptions.TryFind(chunk, out ulong newChunk))
            {
                Remap(bio, newChunk);
                return false;
            }

            pending = Find(stripe, chunk);
            if (pending is not null)
            {
                Remap(bio, pending.NewChunk);
                if (!pending.Started && bio.Count.Value == Store.ChunkSize)
                {
                    pending.Started = true;
                    pending.WholeBio = bio;
                    whole = pending;
                    return false;
                }

                pending.SnapshotBios.Add(bio);
                if (pending.Started)
                {
                    return true;
                }

                pending.Started = true;
            }
        }

        if (pending is null)
        {
            Overflow(bio, fromOrigin: false);
        }
        else
        {
            pending.StartCopy();
        }

        return true;
    }

    /// <summary>
    /// Keeps what the origin has in a chunk before it is overwritten.
    /// </summary>
    /// <param name="chunk">The chunk.</param>
    /// <param name="bio">The write to the origin, which waits; null if nothing is to wait, or it waits already.</param>
    /// <returns>Whether the chunk is not kept yet, so that the write has to wait.</returns>
    private bool Keep(ulong chunk, Bio? bio)
    {
        if (!IsValid)
        {
            return WaitsForHeader(bio);
        }

        Stripe stripe = StripeOf(chunk);
        if (Exceptions.TryFind(chunk, out _) && !stripe.HasPending)
        {
            return false;
        }

        PendingException? pending;
        bool start = false;
        lock (stripe)
        {
            if (_stopped || Merging)
            {
                return false;
            }

            if (!stripe.Pending.TryGetValue(chunk, out pending))
            {
                if (Exceptions.TryFind(chunk, out _))
                {
                    return false;
                }

                pending = Find(stripe, chunk);
            }

            if (pending is not null)
            {
                if (bio is not null)
                {
                    pending.OriginBios.Add(bio);
                }

                start = !pending.Started;
                pending.Started = true;
            }
        }

        if (pending is null)
        {
            return Overflow(bio, fromOrigin: true);
        }

        if (start)
        {
            pending.StartCopy();
        }

        return true;
    }

    /// <summary>An exception is durable, or lost (the kernel's <c>pending_complete</c>).</summary>
    public void Complete(PendingException exception, bool valid)
    {
        if (!valid)
        {
            Invalidate();
        }

        Stripe stripe = StripeOf(exception.OldChunk);
        bool failed;
        lock (stripe)
        {
            failed = !valid || !IsValid;
            if (!failed)
            {
                Exceptions.Add(exception.OldChunk, exception.NewChunk);
                if (stripe.Reads.ContainsKey(exception.OldChunk))
                {
                    exception.WaitsForReads = true; // the last of them goes on here
                    return;
                }
            }

            stripe.Remove(exception.OldChunk);
        }

        Release(exception, failed);
    }

    /// <summary>The COW device says by now that it is invalid: what waited for that goes on.</summary>
    public void Invalidated()
    {
        Bio? snapshotBio;
        Bio? originBio;
        SnapshotDevices devices;
        Table?.RaiseEvent();
        lock (_invalidating)
        {
            devices = _headerDevices!;
            _headerDevices = null;
            snapshotBio = _snapshotBiosOfInvalidation.TakeAll();
            originBio = _originBiosOfInvalidation.TakeAll();
        }

        FailAll(snapshotBio);
        Origin.ExceptionDone();
        Origin.Retry(originBio);
        devices.Exit();
    }

    /// <summary>Finds the pending exception of a chunk, or takes a chunk for a new one; null where there is none left.</summary>
    private PendingException? Find(Stripe stripe, ulong chunk)
    {
        if (stripe.Pending.TryGetValue(chunk, out PendingException? pending))
        {
            return pending;
        }

        pending = new PendingException(this, Devices, chunk);
        if (!Store.TryPrepare(pending))
        {
            return null;
        }

        Devices.Enter();
        stripe.Add(pending);
        return pending;
    }

    /// <summary>The COW device is full: the snapshot overflows by itself, or is invalid from now on.</summary>
    /// <returns>Whether the bio waits.</returns>
    private bool Overflow(Bio? bio, bool fromOrigin)
    {
        if (!fromOrigin && Store.Overflows)
        {
            Overflowed = true;
            bio!.End(BioStatus.IoError);
            return true;
        }

        Invalidate();
        if (fromOrigin)
        {
            return WaitsForHeader(bio);
        }

        Fail(bio!);
        return true;
    }

    /// <summary>Begins to mark it invalid, once (the kernel's <c>__invalidate_snapshot</c>).</summary>
    private void Invalidate()
    {
        lock (_invalidating)
        {
            if (_invalid)
            {
                return;
            }

            _headerDevices = Devices;
            _headerDevices.Enter();
            _invalid = true;
        }

        Store.Invalidate(this);
    }

    /// <summary>
    /// The origin may not be overwritten before the COW device says that it is invalid: after a crash, the snapshot would show new data.
    /// </summary>
    private bool WaitsForHeader(Bio? bio)
    {
        lock (_invalidating)
        {
            if (_headerDevices is not null && bio is not null)
            {
                _originBiosOfInvalidation.Add(bio);
            }

            return _headerDevices is not null;
        }
    }

    /// <summary>An exception is over: the bios that waited for it go on.</summary>
    private void Release(PendingException exception, bool failed)
    {
        Bio? snapshotBio;
        Bio? originBio;
        Stripe stripe = StripeOf(exception.OldChunk);
        lock (stripe)
        {
            snapshotBio = exception.SnapshotBios.TakeAll();
            originBio = exception.OriginBios.TakeAll();
        }

        if (exception.WholeBio is { } whole)
        {
            exception.WholeBio = null;
            whole.Context = null;
            if (failed)
            {
                Fail(whole);
            }
            else
            {
                whole.End(BioStatus.Ok);
            }
        }

        if (failed)
        {
            FailAll(snapshotBio);
        }
        else
        {
            SendAll(snapshotBio);
        }

        Origin.ExceptionDone();
        Origin.Retry(originBio);
        exception.Devices.Exit();
    }

    private static void SendAll(Bio? bio)
    {
        while (bio is not null)
        {
            Bio? next = bio.Next;
            bio.Next = null;
            bio.Send();
            bio = next;
        }
    }

    private void FailAll(Bio? bio)
    {
        while (bio is not null)
        {
            Bio? next = bio.Next;
            bio.Next = null;
            Fail(bio);
            bio = next;
        }
    }

    /// <summary>Ends a bio with EIO, but not before the COW device says that it is invalid, where it does.</summary>
    private void Fail(Bio bio)
    {
        lock (_invalidating)
        {
            if (_headerDevices is not null)
            {
                _snapshotBiosOfInvalidation.Add(bio);
                return;
            }
        }

        bio.End(BioStatus.IoError);
    }

    private Stripe StripeOf(ulong chunk) => _stripes[chunk % StripeCount];

    /// <summary>Some of the chunks: their lock, what is pending, and bios that are on their way.</summary>
    private sealed class Stripe
    {
        public readonly Dictionary<ulong, PendingException> Pending = [];
        public readonly Dictionary<ulong, int> Reads = [];
        private int _pendingCount;

        /// <summary>Whether something is pending, without the lock: seen no later than that its chunk is complete.</summary>
        public bool HasPending => Volatile.Read(ref _pendingCount) != 0;

        public void Add(PendingException exception)
        {
            Pending.Add(exception.OldChunk, exception);
            Volatile.Write(ref _pendingCount, Pending.Count);
        }

        public void Remove(ulong chunk)
        {
            Pending.Remove(chunk);
            Volatile.Write(ref _pendingCount, Pending.Count);
        }
    }
}
