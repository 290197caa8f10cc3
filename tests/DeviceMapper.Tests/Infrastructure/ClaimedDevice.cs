using DeviceMapper.Backends;
using DeviceMapper.Mapping;

namespace DeviceMapper.Tests.Infrastructure;

/// <summary>A fake device that is claimed and open outside of a registry, for what works on devices without tables.</summary>
public sealed class ClaimedDevice : IDisposable
{
    private readonly IDisposable _claim;

    public ClaimedDevice(FakeDevice device)
    {
        DeviceSpec spec = device.Spec(null);
        _claim = spec.Claim(default);
        Device = spec.Open(DeviceMode.ReadWrite, default);
    }

    /// <summary>The open device.</summary>
    public Backend Device { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Device.Dispose();
        _claim.Dispose();
    }
}
