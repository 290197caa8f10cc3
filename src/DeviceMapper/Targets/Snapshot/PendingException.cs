using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Snapshots;

/// <summary>
/// A chunk that is on its way to the COW device, and the bios that wait for it: those to the snapshot go to the new chunk then, those to the
/// origin may go on (the kernel's <c>dm_snap_pending_exception</c>).
/// </summary>
/// <remarks>The lists are guarded by the lock of its chunk in the snapshot.</remarks>
internal sealed class PendingException : CopyJob
{
    private readonly Snapshot _snapshot;

    public PendingException(Snapshot snapshot, SnapshotDevices devices, ulong oldChunk)
    {
        _snapshot = snapshot;
        Devices = devices;
        OldChunk = oldChunk;
    }

    /// <summary>The chunk of the origin.</summary>
    public ulong OldChunk { get; }

    /// <summary>The chunk of the COW device; set by <see cref="ExceptionStore.TryPrepare"/>.</summary>
    public ulong NewChunk { get; set; }

    /// <summary>Its place in the order of <see cref="NewChunk"/>.</summary>
    public long Sequence { get; set; }

    /// <summary>The devices that it uses.</summary>
    public SnapshotDevices Devices { get; }

    /// <summary>Whether its data are on their way already.</summary>
    public bool Started { get; set; }

    /// <summary>It is complete but for reads of the origin's chunk that have not ended.</summary>
    public bool WaitsForReads { get; set; }

    /// <summary>Whether its data could not be copied.</summary>
    public bool CopyFailed { get; private set; }

    /// <summary>Bios to the snapshot, mapped to the COW device.</summary>
    public BioList SnapshotBios { get; } = new();

    /// <summary>Bios to the origin.</summary>
    public BioList OriginBios { get; } = new();

    /// <summary>A bio to the snapshot that overwrites the whole chunk: it is written in place of a copy.</summary>
    public Bio? WholeBio { get; set; }

    /// <summary>Copies the chunk; what lies beyond the origin's end is left out.</summary>
    public void StartCopy()
    {
        ulong chunkSize = _snapshot.Store.ChunkSize;
        Sector start = new(OldChunk * chunkSize);
        Source = Devices.Origin;
        SourceSector = start;
        Destination = Devices.Cow;
        DestinationSector = new Sector(NewChunk * chunkSize);
        CopyLength = SectorCount.Min(new SectorCount(chunkSize), Devices.Origin.Size - (start - default(Sector)));
        _snapshot.Copier.Start(this);
    }

    /// <summary>The bio that takes the place of the copy has ended.</summary>
    public void WholeBioEnded(BioStatus status) => CopyEnded(BioStatus.Ok, status);

    /// <summary>It is durable on the COW device, or lost.</summary>
    public void Committed(bool valid) => _snapshot.Complete(this, valid);

    /// <inheritdoc/>
    protected override void CopyEnded(BioStatus read, BioStatus write)
    {
        CopyFailed = read != BioStatus.Ok || write != BioStatus.Ok;
        _snapshot.Store.Commit(this);
    }
}
