using DeviceMapper.Backends;
using DeviceMapper.Mapping;

namespace DeviceMapper.Tests.Backends;

/// <summary>Memory.</summary>
public sealed class MemoryBackendTests : BackendTests
{
    private readonly DeviceRegistry _registry = new();
    private readonly OpenedWord _opened;

    public MemoryBackendTests() => _opened = new OpenedWord(_registry, "mem:4M");

    private protected override Backend Device => _opened.Device;

    public override void Dispose()
    {
        _opened.Dispose();
        _registry.Dispose();
    }
}
