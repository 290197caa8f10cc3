using System.Diagnostics;
using System.Runtime.CompilerServices;
using DeviceMapper.Mapping;
using DeviceMapper.Mapping.Statistics;
using DeviceMapper.Targets;

namespace DeviceMapper.Io;

/// <summary>
/// One block I/O: an operation on a run of sectors of one device, with its memory and its completion.
/// Pooled: <see cref="Rent"/> one, fill it, <see cref="Submit"/> it, and <see cref="Return"/> it when it has ended.
/// </summary>
/// <remarks>
/// A mapped device makes a clone of a bio for each target that it touches, lets the target change the clone's device
/// and sector, and sends it on; a clone's end leads back to its parent. Both ways are loops, not recursions, so
/// the stack stays flat however deep devices are stacked.
/// </remarks>
public sealed class Bio
{
    // As a clone: where it came from. Null in a bio that a user submitted.
    internal Bio? Parent;
    internal Target? Target;
    internal MappedDevice? Owner;

    // As a parent: clones that have not ended, plus one while more are being made; and their first error.
    internal int Pending;
    internal int FirstError;

    // As a parent: a part of it was sent down, and given up by a target that sends it again.
    internal bool WasSent;

    // For the statistics of mapped devices: of the one that it is sent to; as a clone, of its owner, where it is a piece that is counted by itself.
    internal CountedIo Statistics;
    internal CountedIo PieceStatistics;

    // Metadata of its blocks, and of others too in a clone; how many bytes of data come before its own there.
    internal BioTags? Tags;
    internal int TagsOffset;

    /// <summary>Link of whatever list the bio is in: a thread's pool or submit list, or a list of who holds it.</summary>
    internal Bio? Next;

    private IBioCompletion? _completion;
    private int _inFlight; // 1 from Submit to End; catches a second end

    private Bio()
    {
    }

    /// <summary>What to do.</summary>
    public BioOperation Operation { get; set; }

    /// <summary>How.</summary>
    public BioFlags Flags { get; set; }

    /// <summary>The first sector, on <see cref="Device"/>.</summary>
    public Sector Sector { get; set; }

    /// <summary>
    /// The only connection to the device that it may go by (<see cref="Backends.IPathMonitor.Connection"/>), with <see cref="BioFlags.FailFast"/>;
    /// 0: any. For who sends it to such a backend itself, and clears it when it has ended.
    /// </summary>
    public int Connection { get; internal set; }

    /// <summary>How many sectors; zero for a flush.</summary>
    public SectorCount Count { get; set; }

    /// <summary>The memory of a read or write: <see cref="Count"/> sectors long.</summary>
    public BioBuffer Buffer { get; set; }

    /// <summary>Where it goes. A target's map sets it to a device below.</summary>
    public BlockDevice? Device { get; set; }

    /// <summary>How it ended.</summary>
    public BioStatus Status { get; set; }

    /// <summary>
    /// The submitter's own word, untouched by the way down; in a clone, the target's own word from its map to its end.
    /// </summary>
    public object? Context { get; set; }

    /// <summary>A number beside <see cref="Context"/>.</summary>
    public ulong ContextValue { get; set; }

    /// <summary>
    /// In a clone of a flush, discard, secure erase or write of zeroes: which of the target's several clones it is,
    /// from 0 (the kernel's <c>dm_bio_get_target_bio_nr</c>).
    /// </summary>
    public int TargetBioNumber { get; internal set; }

    /// <summary>The sector after the last.</summary>
    public Sector EndSector => Sector + Count;

    /// <summary>Whether it moves data between its buffer and the device.</summary>
    public bool HasData => Operation is BioOperation.Read or BioOperation.Write;

    /// <summary>Whether it changes what is on the device.</summary>
    public bool IsWrite => Operation is not (BioOperation.Read or BioOperation.Flush);

    /// <summary>Takes an empty bio from this thread's pool.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bio Rent() => RentFrom(BioThread.Current);

    /// <summary>Gives an ended bio back; it must not be used afterwards.</summary>
    public void Return()
    {
        Debug.Assert(Volatile.Read(ref _inFlight) == 0, "A bio in flight was returned.");
        ReturnTo(BioThread.Current);
    }

    /// <summary>Sends it to <see cref="Device"/>. <paramref name="completion"/> is told when it has ended.</summary>
    public void Submit(IBioCompletion completion)
    {
        _completion = completion;
        WasSent = false;
        Send();
    }

    /// <summary>
    /// Sends it to <see cref="Device"/>: as a target does with a clone that it had kept, for which its map had answered
    /// <see cref="MapResult.Submitted"/>.
    /// </summary>
    public void Send()
    {
        Status = BioStatus.Ok;
        _inFlight = 1;
        BioThread.Current.Submit(this);
    }

    /// <summary>
    /// Ends the bio: of a clone, the target's end is called, and the parent ends with its last clone, with the first
    /// error of them all. Called exactly once for each submitted bio, with no lock held.
    /// </summary>
    public void End(BioStatus status)
    {
        Bio bio = this;
        BioThread? current = null; // looked up once for all levels
        while (true)
        {
            if (bio._inFlight != 1)
            {
                ThrowEndedTwice();
            }

            Bio? parent = bio.Parent;
            if (parent is null)
            {
                bio._inFlight = 0;
                bio.Status = status;
                bio._completion!.BioEnded(bio);
                return;
            }

            if (bio.Target is { WantsEnd: true } target && !target.EndKeepingExceptions(bio, ref status))
            {
                return; // the target keeps it and ends it, or submits it again, later
            }

            MappedDevice owner = bio.Owner!;
            bio._inFlight = 0;
            BioThread thread = current ??= BioThread.Current;
            if (bio.PieceStatistics.Regions is not null)
            {
                owner.EndPiece(thread, bio, status);
            }

            bio.ReturnTo(thread);
            if (status != BioStatus.Ok && parent.FirstError == 0)
            {
                Interlocked.CompareExchange(ref parent.FirstError, (int)status, 0);
            }

            // A clone that is alone owns the count; only several need the atomic decrement.
            if (Volatile.Read(ref parent.Pending) != 1 && Interlocked.Decrement(ref parent.Pending) != 0)
            {
                return;
            }

            status = (BioStatus)parent.FirstError;
            if (!owner.Exit(thread, parent, ref status))
            {
                return; // parked: it is mapped again after the resume
            }

            bio = parent;
        }
    }

    /// <summary>Ends a clone that its target did not take: the target's end is not called.</summary>
    internal void EndMapped(BioStatus status)
    {
        Target = null;
        End(status);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Bio RentFrom(BioThread thread)
    {
        Bio? bio = thread.Pool;
        if (bio is null)
        {
            return thread.Refill() ?? new Bio();
        }

        thread.Pool = bio.Next;
        thread.PoolCount--;
        bio.Next = null;
        return bio;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void ReturnTo(BioThread thread)
    {
        // Only references that could keep something alive or be mistaken for a clone's are cleared; Rent's users set the rest.
        Parent = null;
        Target = null;
        Owner = null;
        Device = null;
        Context = null;
        Tags = null;
        _completion = null;
        Flags = BioFlags.None;
        Next = thread.Pool;
        thread.Pool = this;
        if (++thread.PoolCount > BioThread.PoolLimit)
        {
            thread.Overflow();
        }
    }

    /// <summary>Makes this a clone of <paramref name="parent"/>, of all of it, for a target; without one it goes past the targets.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void CloneFrom(Bio parent, MappedDevice owner, Target? target)
    {
        Parent = parent;
        Owner = owner;
        Target = target;
        Operation = parent.Operation;
        Flags = parent.Flags;
        Sector = parent.Sector;
        Count = parent.Count;
        Buffer = parent.Buffer;
        if (parent.Tags is { } tags)
        {
            Tags = tags;
            TagsOffset = parent.TagsOffset;
        }

        TargetBioNumber = 0;
        Status = BioStatus.Ok;
        WasSent = false;
        _inFlight = 1;
    }

    private static void ThrowEndedTwice() => throw new InvalidOperationException("A bio was ended twice, or without having been submitted.");
}
