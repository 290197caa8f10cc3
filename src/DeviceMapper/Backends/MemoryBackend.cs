using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Backends;

/// <summary>Memory as a device. It is the claim's: every open of the same memory, in either mode, sees the same data.</summary>
internal sealed class MemoryBackend(AnonymousMemory memory, SectorCount size) : Backend
{
    private static readonly QueueLimits _limits = new()
    {
        MaxDiscard = new SectorCount(uint.MaxValue),
        DiscardGranularity = 4096, // a page
        MaxWriteZeroes = new SectorCount(uint.MaxValue),
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
    protected internal override void Process(Bio bio) => bio.End(Do(bio));

    private BioStatus Do(Bio bio)
    {
        if (bio.Operation == BioOperation.Flush)
        {
            return BioStatus.Ok; // what is completed is as durable as it will be
        }

        if (bio.Sector.Value > size.Value || bio.Count.Value > size.Value - bio.Sector.Value)
        {
            return BioStatus.IoError;
        }

        switch (bio.Operation)
        {
            case BioOperation.Read:
                memory.CopyTo(bio.Buffer, bio.Sector.Bytes);
                return BioStatus.Ok;
            case BioOperation.Write:
                memory.CopyFrom(bio.Buffer, bio.Sector.Bytes);
                return BioStatus.Ok;
            case BioOperation.Discard:
            case BioOperation.WriteZeroes:
                memory.Clear(bio.Sector.Bytes, bio.Count.Bytes, free: (bio.Flags & BioFlags.NoUnmap) == 0);
                return BioStatus.Ok;
            default:
                return BioStatus.Unsupported;
        }
    }
}
