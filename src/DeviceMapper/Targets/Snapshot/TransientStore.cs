namespace DeviceMapper.Targets.Snapshots;

/// <summary>A store that is gone with its table: chunks are taken one after another (drivers/md/dm-snap-transient.c).</summary>
internal sealed class TransientStore : ExceptionStore
{
    private long _nextFree; // sectors
    private long _sequence;
    private readonly CommitOrder _order = new();

    /// <inheritdoc/>
    public override string Word => "N";

    /// <inheritdoc/>
    public override bool IsValid => true;

    /// <inheritdoc/>
    public override (ulong Allocated, ulong Total, ulong Metadata) Usage => ((ulong)Volatile.Read(ref _nextFree), Cow.Size.Value, 0);

    /// <inheritdoc/>
    public override void Load(uint largestBlock, ExceptionTable complete)
    {
    }

    /// <inheritdoc/>
    public override bool TryPrepare(PendingException exception)
    {
        lock (_order)
        {
            if (Cow.Size.Value < (ulong)_nextFree + ChunkSize)
            {
                return false;
            }

            exception.NewChunk = (ulong)_nextFree / ChunkSize;
            exception.Sequence = _sequence++;
            _nextFree += ChunkSize;
            return true;
        }
    }

    /// <inheritdoc/>
    public override void Commit(PendingException exception)
    {
        lock (_order)
        {
            _order.Finish(exception);
        }

        while (true)
        {
            PendingException? next;
            lock (_order)
            {
                next = _order.TakeNext();
            }

            if (next is null)
            {
                return;
            }

            next.Committed(!next.CopyFailed);
        }
    }

    /// <inheritdoc/>
    public override void Invalidate(Snapshot snapshot) => snapshot.Invalidated();

    /// <inheritdoc/>
    public override void Dispose()
    {
    }
}
