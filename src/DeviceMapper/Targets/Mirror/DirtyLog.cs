using System.Numerics;
using System.Text;

namespace DeviceMapper.Targets.Mirror;

/// <summary>What a table says of the state in which the legs are.</summary>
internal enum LogSync
{
    /// <summary>Nothing: as the log has it, which is not in sync where it is new.</summary>
    Default,

    /// <summary><c>nosync</c>: all legs are known to be equal.</summary>
    NoSync,

    /// <summary><c>sync</c>: all regions are copied.</summary>
    Sync,
}

/// <summary>
/// Which regions of a mirror are equal on all legs, and which may be written to just now (the kernel's <c>dm_dirty_log</c>, drivers/md/dm-log.c).
/// </summary>
/// <remarks>Any thread may ask; changes are made by the mirror's worker alone, or while it does nothing.</remarks>
internal abstract class DirtyLog
{
    private readonly ulong[] _inSync; // a bit for each region
    private int _syncCount;
    private int _search; // the region from which on one that is to be copied is looked for

    /// <summary>Makes a log in which all regions are in sync, or none.</summary>
    protected DirtyLog(LogArguments arguments)
    {
        RegionSize = arguments.RegionSize;
        RegionCount = arguments.RegionCount;
        SyncWord = arguments.Sync;
        _inSync = new ulong[(RegionCount + 63) / 64];
        if (SyncWord == LogSync.NoSync)
        {
            Array.Fill(_inSync, ulong.MaxValue);
            _syncCount = RegionCount;
        }
    }

    /// <summary>Sectors of a region, a power of two; the last may be shorter.</summary>
    public uint RegionSize { get; }

    /// <summary>How many regions.</summary>
    public int RegionCount { get; }

    /// <summary>What the table said.</summary>
    public LogSync SyncWord { get; }

    /// <summary>How many regions are in sync.</summary>
    public int SyncCount => Volatile.Read(ref _syncCount);

    /// <summary>Whether a region must be marked, and the log flushed, before it is written to.</summary>
    public abstract bool IsDurable { get; }

    /// <summary>Whether a region is equal on all legs.</summary>
    public bool IsInSync(int region) => (Volatile.Read(ref _inSync[region >> 6]) >> (region & 63) & 1) != 0;

    /// <summary>Says whether a region is equal on all legs.</summary>
    public void SetInSync(int region, bool inSync)
    {
        if (IsInSync(region) == inSync)
        {
            return;
        }

        ulong bit = 1UL << (region & 63);
        if (inSync)
        {
            Interlocked.Or(ref _inSync[region >> 6], bit);
            Interlocked.Increment(ref _syncCount);
        }
        else
        {
            Interlocked.And(ref _inSync[region >> 6], ~bit);
            Interlocked.Decrement(ref _syncCount);
        }
    }

    /// <summary>The next region that is to be copied: each once from one resume to the next.</summary>
    public bool TryNextToCopy(out int region)
    {
        for (; _search < RegionCount; _search = (_search | 63) + 1)
        {
            ulong left = ~_inSync[_search >> 6] & (ulong.MaxValue << (_search & 63));
            region = (_search & ~63) + BitOperations.TrailingZeroCount(left);
            if (left != 0 && region < RegionCount)
            {
                _search = region + 1;
                return true;
            }
        }

        region = 0;
        return false;
    }

    /// <summary>The mirror is resumed.</summary>
    public virtual void Resume() => _search = 0;

    /// <summary>A region is to be written to: remembered with the next <see cref="Flush"/>.</summary>
    public virtual void Mark(int region)
    {
    }

    /// <summary>A region that is in sync is not written to any more.</summary>
    public virtual void Clear(int region)
    {
    }

    /// <summary>Makes marks durable.</summary>
    /// <returns>False where the log's device failed.</returns>
    public virtual bool Flush() => true;

    /// <summary>Appends what the status line ends with: a count of words, and these.</summary>
    public abstract void AppendStatus(StringBuilder text);

    /// <summary>Appends its part of the table line, with a blank behind.</summary>
    public abstract void AppendTable(StringBuilder text);

    /// <summary>Takes all bits at once.</summary>
    protected void SetAllInSync(ReadOnlySpan<ulong> bits)
    {
        int count = 0;
        for (int i = 0; i < _inSync.Length; i++)
        {
            _inSync[i] = bits[i];
            count += BitOperations.PopCount(bits[i]);
        }

        Volatile.Write(ref _syncCount, count);
    }

    /// <summary>Appends the size of a region and the word that the table has, each with a blank behind.</summary>
    protected void AppendRegions(StringBuilder text)
    {
        text.Append(RegionSize).Append(' ');
        text.Append(SyncWord switch { LogSync.NoSync => "nosync ", LogSync.Sync => "sync ", _ => "" });
    }
}
