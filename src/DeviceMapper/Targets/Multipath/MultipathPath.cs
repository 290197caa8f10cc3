using DeviceMapper.Backends;
using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Multipath;

/// <summary>What made a path fail; it decides what makes it good again.</summary>
internal enum PathFailure
{
    /// <summary>It is good.</summary>
    None,

    /// <summary>A message: only another message reinstates it.</summary>
    Message,

    /// <summary>An I/O error. As in the kernel it stays failed until a message.</summary>
    IoError,

    /// <summary>Its backend lost the way to the device, and watches for its return.</summary>
    Lost,

    /// <summary>It could not be opened yet.</summary>
    Dead,

    /// <summary>Another disk answers at its address. A message makes that the right one.</summary>
    OtherDisk,
}

/// <summary>A way to the device: a table device, and how it does (the kernel's <c>struct pgpath</c>).</summary>
/// <remarks>The state is the target's to change, under its lock; the counts of I/O are changed by everybody, atomically.</remarks>
internal sealed class MultipathPath(PriorityGroup group, int index, string word, DeviceReference? device)
{
    private const int CountShift = 40; // sectors below, far more than can be in flight

    private long _load; // I/Os on it and their sectors in one word, so that each I/O changes it once at either end

    /// <summary>Of service-time: how fast it is, relative to others.</summary>
    public long Throughput;

    /// <summary>Of historical-service-time: a moving average of how long it needs for an I/O, in nanoseconds with 10 binary places.</summary>
    public ulong ServiceTime;

    /// <summary>Of historical-service-time: until when that counts as fresh, in nanoseconds.</summary>
    public ulong StaleAfter;

    /// <summary>Of historical-service-time: when its last I/O ended, in nanoseconds.</summary>
    public ulong LastEnd;

    /// <summary>Of historical-service-time: somebody changes these.</summary>
    public bool IsTiming;

    /// <summary>I/Os that it was given, for the choice of those whose time is taken.</summary>
    public uint Given;

    /// <summary>How long an I/O takes there: a moving average in nanoseconds, of some of them; 0 before the first.</summary>
    public long Latency;

    /// <summary>When a selector took it last, by the selector's own count: among equals the one that was taken least recently is next.</summary>
    public long LastUsed;

    /// <summary>I/Os on it.</summary>
    public int InFlight => (int)(Volatile.Read(ref _load) >> CountShift);

    /// <summary>Sectors of these.</summary>
    public long InFlightSectors => Volatile.Read(ref _load) & ((1L << CountShift) - 1);

    /// <summary>The group that it belongs to.</summary>
    public PriorityGroup Group { get; } = group;

    /// <summary>Its place in the group, from 0.</summary>
    public int Index { get; } = index;

    /// <summary>The word that the table names it by.</summary>
    public string Word { get; } = word;

    /// <summary>The table device; null as long as it could not be opened.</summary>
    public DeviceReference? Device { get; set; } = device;

    /// <summary>Its name in table and status lines.</summary>
    public string Name => Device?.Name ?? TableParser.EscapeWord(Word);

    /// <summary>The write cache that it leads to; null where all paths lead to one.</summary>
    public WriteCache? Cache { get; set; }

    /// <summary>What watches the way to its device, where that can be lost.</summary>
    public IPathMonitor? Monitor => Device?.Backend as IPathMonitor;

    /// <summary>The connection of the way that is known to lead to the right disk: I/O goes by no other. 0: by any.</summary>
    public int Connection { get; set; }

    /// <summary>Whether I/O may go there.</summary>
    public bool IsActive => Failure == PathFailure.None;

    /// <summary>What made it fail.</summary>
    public PathFailure Failure { get; set; }

    /// <summary>The comparison of its disk that is under way; an older one counts no more.</summary>
    public object? Comparison { get; set; }

    /// <summary>How often it has failed.</summary>
    public uint FailCount { get; set; }

    /// <summary>Why it is in its state; empty as long as nothing happened.</summary>
    public string Reason { get; set; } = "";

    /// <summary>Since when it is in its state.</summary>
    public DateTimeOffset Since { get; set; }

    /// <summary>Counts an I/O that goes there.</summary>
    public void Add(SectorCount size) => Interlocked.Add(ref _load, (1L << CountShift) + (long)size.Value);

    /// <summary>Counts an I/O that has ended.</summary>
    public void Subtract(SectorCount size) => Interlocked.Add(ref _load, -(1L << CountShift) - (long)size.Value);
}
