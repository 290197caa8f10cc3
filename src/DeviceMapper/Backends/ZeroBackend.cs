using DeviceMapper.Io;

namespace DeviceMapper.Backends;

/// <summary>A device that reads as zeroes and forgets what is written to it: in place of one that is not there.</summary>
internal sealed class ZeroBackend(SectorCount size) : Backend
{
    private static readonly SectorCount _unlimited = new(uint.MaxValue);

    private static readonly QueueLimits _limits = new()
    {
        MaxDiscard = _unlimited,
        DiscardGranularity = 4096,
        MaxWriteZeroes = _unlimited,
    };

    /// <inheritdoc/>
    public override SectorCount Size => size;

    /// <inheritdoc/>
    public override QueueLimits Limits => _limits;

    /// <inheritdoc/>
    public override void Dispose()
    {
    }

    /// <inheritdoc/>
    protected internal override void Process(Bio bio)
    {
        if (bio.Operation == BioOperation.Read)
        {
            foreach (BufferSegment segment in bio.Buffer)
            {
                segment.Span.Clear();
            }
        }

        bio.End(BioStatus.Ok);
    }
}
