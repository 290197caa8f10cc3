using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Targets;

/// <summary>What became of a bio that a target was given.</summary>
public enum MapResult
{
    /// <summary>The target keeps it, or has submitted or ended it: it is no longer the caller's.</summary>
    Submitted,

    /// <summary>Its device and sector are those of a device below: the caller sends it there.</summary>
    Remapped,

    /// <summary>It cannot be mapped now: mapped again after the resume in a noflush suspend, else EIO.</summary>
    Requeue,

    /// <summary>EIO.</summary>
    Kill,
}

/// <summary>What a target does after a clone has ended.</summary>
public enum EndResult
{
    /// <summary>The clone ends with the status.</summary>
    Done,

    /// <summary>The target keeps the clone and will submit or end it.</summary>
    Incomplete,
}

/// <summary>
/// A range of a mapped device and how its bios are mapped. Everything passes through by default: a target overrides
/// what it changes (the kernel's <c>struct dm_target</c> and <c>target_type</c>, include/linux/device-mapper.h).
/// </summary>
/// <remarks>
/// A constructor takes all it needs from its <see cref="TargetArguments"/>, and throws <see cref="DmException"/> for
/// what does not fit; the table then puts the devices that the constructor got. <see cref="Map"/> may be called by
/// many threads at once. It must not wait.
/// </remarks>
public abstract class Target : IDisposable
{
    /// <summary>Takes place and type from the table line.</summary>
    protected Target(TargetArguments arguments)
    {
        Type = arguments.Type;
        Start = arguments.Start;
        Length = arguments.Length;
        Table = arguments.Table;
    }

    /// <summary>What kind of target it is.</summary>
    public TargetType Type { get; }

    /// <summary>The first sector of the mapped device that it maps.</summary>
    public Sector Start { get; }

    /// <summary>How many sectors it maps; not zero.</summary>
    public SectorCount Length { get; }

    /// <summary>The sector after its last.</summary>
    public Sector End => Start + Length;

    /// <summary>The table that it is part of.</summary>
    public Table Table { get; }

    /// <summary>The largest bio, counted from multiples of itself from the target's start; zero for any (the kernel's <c>max_io_len</c>). Bios are split so.</summary>
    public SectorCount MaxIo { get; protected set; }

    /// <summary>How many clones a flush is given in; 0 where it needs none.</summary>
    public int FlushBios { get; protected init; }

    /// <summary>How many clones a discard is given in; with 0 discards are refused.</summary>
    public int DiscardBios { get; protected init; }

    /// <summary>How many clones a secure erase is given in; with 0 they are refused.</summary>
    public int SecureEraseBios { get; protected init; }

    /// <summary>How many clones a write of zeroes is given in; with 0 they are refused.</summary>
    public int WriteZeroesBios { get; protected init; }

    /// <summary>Takes flushes although the devices below may not.</summary>
    public bool FlushSupported { get; protected init; }

    /// <summary>Takes discards although the devices below may not.</summary>
    public bool DiscardsSupported { get; protected init; }

    /// <summary>
    /// Discards are cut where multiples of the table's largest discard from the target's start end, not only to that length
    /// (the kernel's <c>max_discard_granularity</c>).
    /// </summary>
    public bool SplitsDiscards { get; protected init; }

    /// <summary>A flush needs only to reach its devices, past <see cref="Map"/>: where all targets of a table say so, each device gets one.</summary>
    public bool FlushBypassesMap { get; protected init; }

    /// <summary>
    /// Whether the kernel makes a device of it that takes requests, or one that takes bios; null where it makes either. A device cannot change from
    /// one to the other. That is all: here every device takes bios.
    /// </summary>
    public virtual bool? RequestBased => false;

    /// <summary>Whether <see cref="EndIo"/> is called at all.</summary>
    public bool WantsEnd { get; protected init; }

    /// <summary>
    /// Maps a clone. Its sector is the mapped device's; <see cref="OffsetOf"/> makes it the target's.
    /// It lies within the target, and reads and writes keep to <see cref="MaxIo"/>.
    /// </summary>
    public abstract MapResult Map(Bio bio);

    /// <summary>Sees the end of a clone that <see cref="Map"/> remapped or submitted, and may change its status.</summary>
    public virtual EndResult EndIo(Bio bio, ref BioStatus status) => EndResult.Done;

    /// <summary>A suspend begins; bios still come and go.</summary>
    public virtual void Presuspend()
    {
    }

    /// <summary>The suspend that began was given up.</summary>
    public virtual void PresuspendUndo()
    {
    }

    /// <summary>Suspended: no bio is in flight.</summary>
    public virtual void Postsuspend()
    {
    }

    /// <summary>A resume begins. A <see cref="DmException"/> leaves the device suspended, with this table live.</summary>
    public virtual void Preresume()
    {
    }

    /// <summary>Resumed; bios come from now on.</summary>
    public virtual void Resume()
    {
    }

    /// <summary>Appends what <c>dmsetup status</c> prints after the target's name; nothing by default.</summary>
    /// <param name="text">Where to.</param>
    /// <param name="noflush">Do not make anything durable for the sake of the figures.</param>
    public virtual void AppendStatus(StringBuilder text, bool noflush)
    {
    }

    /// <summary>Appends the arguments that <c>dmsetup table</c> prints: a target made from them is equal to this one.</summary>
    public virtual void AppendTable(StringBuilder text)
    {
    }

    /// <summary>Adds what IMA measures of it (<c>dmsetup measure</c>); nothing by default, as most of the kernel's targets.</summary>
    public virtual void Measure(Measurement measurement)
    {
    }

    /// <summary>Takes a message.</summary>
    /// <param name="words">Its words, at least one.</param>
    /// <returns>A text for the sender, or null.</returns>
    public virtual string? Message(IReadOnlyList<string> words) =>
        throw new DmException(Errno.EINVAL, $"{Type.Name}: this target takes no messages");

    /// <summary>
    /// The first extent at a sector of the mapped device, at most so long (that is, within the target), and whether it is a hole that reads
    /// as zeroes; all is data by default. It may take as long as a look at a file's layout.
    /// </summary>
    public virtual (SectorCount Length, bool Hole) ExtentAt(Sector start, SectorCount length) => (length, false);

    /// <summary>The areas of table devices that it maps to; the limits of these are stacked and the areas checked against their sizes.</summary>
    public virtual IEnumerable<TargetArea> Areas => [];

    /// <summary>Has the last word on the limits that <see cref="Areas"/> gave.</summary>
    public virtual QueueLimits AdjustLimits(QueueLimits limits) => limits;

    /// <summary>Frees what the target has besides its table devices, which are the table's to put.</summary>
    public virtual void Dispose()
    {
        GC.SuppressFinalize(this);
    }

    /// <summary>How far a sector of the mapped device lies into the target.</summary>
    public SectorCount OffsetOf(Sector sector) => sector - Start;

    /// <summary>How many sectors of a read or write that starts at a sector the target takes in one clone.</summary>
    internal SectorCount RoomAt(Sector sector)
    {
        SectorCount toEnd = End - sector;
        if (MaxIo == SectorCount.Zero)
        {
            return toEnd;
        }

        // The largest I/O need not be a power of two.
        return SectorCount.Min(toEnd, new SectorCount(MaxIo.Value - (OffsetOf(sector).Value % MaxIo.Value)));
    }

    /// <summary>How many sectors of an operation without data that starts at a sector the target takes in one clone.</summary>
    /// <param name="sector">Its first sector.</param>
    /// <param name="operation">Which.</param>
    /// <param name="largest">The largest that the table takes.</param>
    internal SectorCount RoomAt(Sector sector, BioOperation operation, SectorCount largest)
    {
        SectorCount room = operation == BioOperation.Discard && SplitsDiscards
            ? new SectorCount(largest.Value - (OffsetOf(sector).Value % largest.Value))
            : largest;
        return SectorCount.Min(room, End - sector);
    }

    /// <summary>How many clones an operation other than read and write is given in.</summary>
    internal int BiosFor(BioOperation operation) => operation switch
    {
        BioOperation.Flush => FlushBios,
        BioOperation.Discard => DiscardBios,
        BioOperation.SecureErase => SecureEraseBios,
        BioOperation.WriteZeroes => WriteZeroesBios,
        _ => 1,
    };

    /// <summary>Calls <see cref="EndIo"/>. An exception there is a bug of the target, and must not lose the bio.</summary>
    /// <returns>Whether the clone ends now.</returns>
    internal bool EndKeepingExceptions(Bio bio, ref BioStatus status)
    {
        try
        {
            return EndIo(bio, ref status) == EndResult.Done;
        }
        catch (Exception e)
        {
            Table.LogTargetBug(this, e);
            status = BioStatus.IoError;
            return true;
        }
    }
}

/// <summary>A run of sectors of a table device.</summary>
/// <param name="Device">Which.</param>
/// <param name="Start">Where on it.</param>
/// <param name="Length">How many sectors.</param>
public readonly record struct TargetArea(DeviceReference Device, Sector Start, SectorCount Length);
