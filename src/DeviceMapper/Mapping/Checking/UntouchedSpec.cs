using DeviceMapper.Backends;
using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Mapping.Checking;

/// <summary>A device that is opened for reading and not claimed, whatever a table wants; writes stay in memory.</summary>
/// <param name="device">The device.</param>
/// <param name="written">What was written to it, by whichever table.</param>
internal sealed class UntouchedSpec(DeviceSpec device, WrittenSectors written) : DeviceSpec
{
    /// <inheritdoc/>
    public override DeviceIdentity Identity => device.Identity;

    /// <inheritdoc/>
    public override string Name => device.Name;

    /// <inheritdoc/>
    public override DeviceNumber? Number => device.Number;

    /// <inheritdoc/>
    public override bool MayHang => device.MayHang;

    /// <summary>None is taken.</summary>
    public override IDisposable Claim(CancellationToken cancellation) => new Nothing();

    /// <inheritdoc/>
    public override Backend Open(DeviceMode mode, CancellationToken cancellation)
    {
        if (mode == DeviceMode.ReadWrite && device.OpenPath is { } path && LibC.Access(path, LibC.W_OK) < 0)
        {
            throw OpenErrors.Refusal(Errnos.Last, path);
        }

        return new UntouchedBackend(device.Open(DeviceMode.ReadOnly, cancellation), written);
    }

    private sealed class Nothing : IDisposable
    {
        public void Dispose()
        {
        }
    }
}
