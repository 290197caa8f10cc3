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
internal sealed partial class Snapshot
{
    private const int StripeCount = 64;

    private readonly Stripe[] _stripes = [.. Enumerable.Range(0, StripeCount).Select(_ => new Stripe())];
    private volatile bool _stopped;

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
