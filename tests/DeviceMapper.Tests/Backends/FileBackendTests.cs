using DeviceMapper.Backends;
using DeviceMapper.Mapping;

namespace DeviceMapper.Tests.Backends;

/// <summary>A file.</summary>
public sealed class FileBackendTests : BackendTests
{
    private readonly TestFolder _folder = new();
    private readonly DeviceRegistry _registry = new();
    private readonly OpenedWord _opened;

    public FileBackendTests() => _opened = new OpenedWord(_registry, $"file:{_folder["disk"]}?size=4M");

    private protected override Backend Device => _opened.Device;

    public override void Dispose()
    {
        _opened.Dispose();
        _registry.Dispose();
        _folder.Dispose();
    }
}
