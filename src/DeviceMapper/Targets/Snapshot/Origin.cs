using DeviceMapper.Backends;
using DeviceMapper.Io;

namespace DeviceMapper.Targets.Snapshots;

/// <summary>
/// A device of which there are snapshots: writes to it wait until all of them have kept what it had (the kernel's <c>struct origin</c>
/// and <c>do_origin</c>, drivers/md/dm-snap.c).
/// </summary>
internal sealed class Origin(Origins origins, DeviceIdentity identity)
{
    private readonly object _progress = new();
    private Snapshot[] _active = []; // replaced, never changed: writes walk it without a lock
    private long _done; // exceptions that have ended; guarded by _progress

    /// <summary>Which device.</summary>
    public DeviceIdentity Identity { get; } = identity;

    /// <summary>Where it is listed; its lock guards <see cref="Users"/> and <see cref="Targets"/>.</summary>
    public Origins Origins { get; } = origins;

    /// <summary>Targets that refer to it.</summary>
    public int Users { get; set; }

    /// <summary>The snapshot targets that there are of it, resumed or not.</summary>
    public List<SnapshotTarget> Targets { get; } = [];

    /// <summary>Adds a snapshot that keeps what the origin has from now on.</summary>
    public void Activate(Snapshot snapshot)
    {
        lock (Origins.Lock)
        {
            if (!_active.Contains(snapshot))
            {
                Volatile.Write(ref _active, [.. _active, snapshot]);
            }
        }
    }

    /// <summary>Removes a snapshot; for writes that see it all the same it must be stopped too.</summary>
    public void Deactivate(Snapshot snapshot)
    {
        lock (Origins.Lock)
        {
            Volatile.Write(ref _active, [.. _active.Where(s => s != snapshot)]);
        }
    }

    /// <summary>Has all snapshots keep what a write overwrites.</summary>
    /// <returns>Whether the write may go on; else it waits, and is sent later.</returns>
    public bool MayWrite(Bio bio) => !Keep(bio.Sector, bio.Count, bio);

    /// <summary>Has all snapshots keep a range, and waits for it.</summary>
    public void WaitUntilKept(Sector start, SectorCount count)
    {
        while (true)
        {
            long seen;
            lock (_progress)
            {
                seen = _done;
            }

            if (!Keep(start, count, null))
            {
                return;
            }

            lock (_progress)
            {
                while (_done == seen)
                {
                    Monitor.Wait(_progress);
                }
            }
        }
    }

    /// <summary>An exception of one of its snapshots has ended.</summary>
    public void ExceptionDone()
    {
        lock (_progress)
        {
            _done++;
            Monitor.PulseAll(_progress);
        }
    }

    /// <summary>Tries writes again that waited for one exception: they go on, or wait for the next.</summary>
    public void Retry(Bio? bio)
    {
        while (bio is not null)
        {
            Bio? next = bio.Next;
            bio.Next = null;
            if (MayWrite(bio))
            {
                bio.Send();
            }

            bio = next;
        }
    }

    private bool Keep(Sector start, SectorCount count, Bio? bio)
    {
        bool waits = false;
        foreach (Snapshot snapshot in Volatile.Read(ref _active))
        {
            waits |= snapshot.Keep(start, count, waits ? null : bio);
        }

        return waits;
    }
}
