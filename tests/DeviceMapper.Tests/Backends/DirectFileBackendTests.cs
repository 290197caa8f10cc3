using DeviceMapper.Backends;

namespace DeviceMapper.Tests.Backends;

/// <summary>A file past the page cache.</summary>
public sealed class DirectFileBackendTests : BackendConformance
{
    private readonly TestFolder _folder = new();

    protected override string Word => $"file:{_folder["disk"]}?size=4M&direct=on";

    [Fact]
    public void Goes_past_the_page_cache() => Assert.True(((FileBackend)Backend).IsDirect);

    protected override void CleanUp() => _folder.Dispose();
}
