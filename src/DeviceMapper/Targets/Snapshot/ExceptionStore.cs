using DeviceMapper.Io;

namespace DeviceMapper.Targets.Snapshots;

/// <summary>
/// Hands out the chunks of a COW device, and remembers what is in them (the kernel's <c>dm_exception_store</c>,
/// drivers/md/dm-exception-store.c).
/// </summary>
internal abstract class ExceptionStore : IDisposable
{
    /// <summary>Chunk size where neither table nor COW device has one, in sectors.</summary>
    public const uint DefaultChunkSize = 32;

    /// <summary>Sectors of a chunk; 0 until it is known.</summary>
    public uint ChunkSize { get; set; }

    /// <summary>The word in tables.</summary>
    public abstract string Word { get; }

    /// <summary>Whether a full store leaves the snapshot readable, as programs understand that ask for it by <c>PO</c>.</summary>
    public bool Overflows { get; set; }

    /// <summary>Whether it can be merged back.</summary>
    public virtual bool CanMerge => false;

    /// <summary>Whether it was found invalid, or could not be written.</summary>
    public abstract bool IsValid { get; }

    /// <summary>The devices; others after a handover.</summary>
    public required SnapshotDevices Devices { get; set; }

    /// <summary>The COW device.</summary>
    protected BlockDevice Cow => Devices.Cow;

    /// <summary>Reads what the COW device holds into a table, or makes it new. Waits.</summary>
    /// <param name="largestBlock">The larger logical block of the two devices, in sectors.</param>
    /// <param name="complete">Where to.</param>
    /// <exception cref="DmException">It cannot be read, or is something else.</exception>
    public abstract void Load(uint largestBlock, ExceptionTable complete);

    /// <summary>Takes the next free chunk for an exception, and its place in the order.</summary>
    /// <returns>False where the COW device is full.</returns>
    public abstract bool TryPrepare(PendingException exception);

    /// <summary>
    /// An exception's data are copied, or could not be. When it is durable, in the order of preparation, its
    /// <see cref="PendingException.Committed"/> is called.
    /// </summary>
    public abstract void Commit(PendingException exception);

    /// <summary>Marks the COW device invalid, and then calls the snapshot's <see cref="Snapshot.Invalidated"/>.</summary>
    public abstract void Invalidate(Snapshot snapshot);

    /// <summary>Sectors of the status line.</summary>
    public abstract (ulong Allocated, ulong Total, ulong Metadata) Usage { get; }

    /// <summary>The last run of exceptions, to be merged next; waits.</summary>
    /// <returns>Last old and new chunk, and how many chunks the run has: 0 at the end.</returns>
    /// <exception cref="DmException">The metadata cannot be read.</exception>
    public virtual (ulong LastOld, ulong LastNew, int Count) PrepareMerge() => throw new NotSupportedException();

    /// <summary>Removes the last exceptions, which are merged; waits.</summary>
    /// <returns>False where they could not be written.</returns>
    public virtual bool CommitMerge(int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>What makes a chunk size unfit; null if nothing does.</summary>
    /// <param name="size">In sectors.</param>
    /// <param name="blocks">The logical blocks of both devices, in sectors.</param>
    public static string? RefusalOf(uint size, params ReadOnlySpan<uint> blocks)
    {
        if (!uint.IsPow2(size))
        {
            return "is not a power of two";
        }

        foreach (uint block in blocks)
        {
            if (size % block != 0)
            {
                return $"is not a multiple of the device's block of {block} sectors";
            }
        }

        return size > int.MaxValue >> Sector.Shift ? "is too large" : null;
    }
}
