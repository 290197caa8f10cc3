using DeviceMapper.Io;

namespace DeviceMapper.Targets.Fault;

/// <summary>Sectors in one piece, and where they go on the device below.</summary>
internal readonly record struct SectorRun(ulong Sector, BioBuffer Data);

/// <summary>Writes runs of sectors, all at once, and then calls back with the first error.</summary>
internal sealed class RunWriter : IBioCompletion
{
    private readonly Action<BioStatus> _done;
    private int _left;
    private int _status;

    private RunWriter(int count, Action<BioStatus> done)
    {
        _left = count;
        _done = done;
    }

    /// <summary>Writes them.</summary>
    /// <param name="device">Where to.</param>
    /// <param name="runs">What; their memory is the caller's until it is called back.</param>
    /// <param name="flags">How.</param>
    /// <param name="done">Called once, on any thread, with no lock held.</param>
    public static void Write(BlockDevice device, IReadOnlyList<SectorRun> runs, BioFlags flags, Action<BioStatus> done)
    {
        RunWriter writer = new(runs.Count + 1, done);
        foreach (SectorRun run in runs)
        {
            Bio bio = Bio.Rent();
            bio.Operation = BioOperation.Write;
            bio.Device = device;
            bio.Sector = new Sector(run.Sector);
            bio.Count = SectorCount.FromBytes((ulong)run.Data.Length);
            bio.Buffer = run.Data;
            bio.Flags = flags;
            bio.Submit(writer);
        }

        writer.OneLess();
    }

    /// <summary>Flushes a device.</summary>
    public static void Flush(BlockDevice device, Action<BioStatus> done)
    {
        Bio bio = Bio.Rent();
        bio.Operation = BioOperation.Flush;
        bio.Device = device;
        bio.Sector = default;
        bio.Count = default;
        bio.Buffer = default;
        bio.Submit(new RunWriter(1, done));
    }

    /// <inheritdoc/>
    public void BioEnded(Bio bio)
    {
        Interlocked.CompareExchange(ref _status, (int)bio.Status, 0);
        bio.Return();
        OneLess();
    }

    private void OneLess()
    {
        if (Interlocked.Decrement(ref _left) == 0)
        {
            _done((BioStatus)_status);
        }
    }
}
