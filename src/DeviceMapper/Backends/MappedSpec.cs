using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Backends;

/// <summary>A mapped device of the same registry: each table device that stands on it counts as an open of it.</summary>
internal sealed class MappedSpec(MappedDevice device) : DeviceSpec
{
    /// <inheritdoc/>
    public override DeviceIdentity Identity => new("mapped", Name);

    /// <inheritdoc/>
    public override string Name => device.Number.ToString();

    /// <inheritdoc/>
    public override DeviceNumber? Number => device.Number;

    /// <inheritdoc/>
    public override MappedDevice? Mapped => device;

    /// <inheritdoc/>
    public override bool MayHang => false;

    /// <summary>Nobody outside can claim it.</summary>
    public override IDisposable Claim(CancellationToken cancellation) => new Nothing();

    /// <inheritdoc/>
    public override Backend Open(DeviceMode mode, CancellationToken cancellation)
    {
        if (!device.HasLoaded)
        {
            throw new DmException(Errno.ENXIO, $"'{device.Name}' has no table yet"); // the kernel has no disk for it yet
        }

        device.Open();
        return new MappedBackend(device);
    }

    private sealed class Nothing : IDisposable
    {
        public void Dispose()
        {
        }
    }
}
