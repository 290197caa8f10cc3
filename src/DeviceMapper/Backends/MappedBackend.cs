using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Backends;

/// <summary>Another mapped device of the same registry, held open. Bios go to it at once, so that a stack of mapped devices is one loop.</summary>
internal sealed class MappedBackend(MappedDevice device) : Backend
{
    /// <inheritdoc/>
    public override BlockDevice Target => device;

    /// <inheritdoc/>
    public override SectorCount Size => device.Size;

    /// <inheritdoc/>
    public override QueueLimits Limits => device.Limits;

    /// <inheritdoc/>
    public override void Dispose() => device.Close();

    /// <inheritdoc/>
    protected internal override void Process(Bio bio)
    {
        bio.Device = device;
        BioThread.Current.Submit(bio);
    }
}
