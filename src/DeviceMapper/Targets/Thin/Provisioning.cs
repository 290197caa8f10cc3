using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Thin;

/// <summary>
/// A block that gets a data block: filled by a copy, by zeroes or by the write itself, and mapped when that is done and nobody reads the
/// block's former data any more (the kernel's <c>struct dm_thin_new_mapping</c>).
/// </summary>
internal sealed class Provisioning(ThinPool pool, ThinTarget target, ulong block, ulong dataBlock, Bio bio) : CopyJob
{
    private int _awaited = 1; // the data; and the end of earlier reads, where ExpectReads was called

    /// <summary>Whose block.</summary>
    public ThinTarget Target { get; } = target;

    /// <summary>Which block of it.</summary>
    public ulong Block { get; } = block;

    /// <summary>Its data block.</summary>
    public ulong DataBlock { get; } = dataBlock;

    /// <summary>The write that needs it.</summary>
    public Bio Bio { get; } = bio;

    /// <summary>Whether that write fills the whole block, and has been sent already.</summary>
    public bool IsWhole { get; set; }

    /// <summary>Whether the data could not be written.</summary>
    public bool Failed { get; private set; }

    /// <summary>Sectors behind the copy that are zeroed too.</summary>
    public ulong Tail { get; set; }

    /// <summary>Reads of the block's former data must end as well.</summary>
    public void ExpectReads() => _awaited++;

    /// <summary>They have.</summary>
    public void ReadsEnded() => Step();

    /// <summary>Prepares a copy.</summary>
    public void SetCopy(BlockDevice? source, Sector from, BlockDevice destination, Sector to, ulong length)
    {
        Source = source;
        SourceSector = from;
        Destination = destination;
        DestinationSector = to;
        CopyLength = new SectorCount(length);
    }

    /// <summary>The write that fills the block has ended.</summary>
    public void WholeBioEnded(BioStatus status) => CopyEnded(BioStatus.Ok, status);

    /// <summary>There is nothing to be written first.</summary>
    public void NothingToWrite() => Step();

    /// <inheritdoc/>
    protected override void CopyEnded(BioStatus read, BioStatus write)
    {
        Failed = read != BioStatus.Ok || write != BioStatus.Ok;
        if (!Failed && Tail > 0)
        {
            ulong tail = Tail;
            Tail = 0;
            SetCopy(null, default, Destination!, DestinationSector + CopyLength, tail);
            pool.StartCopy(this);
            return;
        }

        Step();
    }

    private void Step()
    {
        if (Interlocked.Decrement(ref _awaited) == 0)
        {
            pool.Provisioned(this);
        }
    }
}
