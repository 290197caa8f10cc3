namespace DeviceMapper.Tests.Backends;

/// <summary>A folder of a test's own, removed with it.</summary>
internal sealed class TestFolder : IDisposable
{
    public TestFolder() => Directory.CreateDirectory(Path);

    public string Path { get; } = System.IO.Path.Join(System.IO.Path.GetTempPath(), $"udm-backends-{Environment.ProcessId}-{Guid.NewGuid():N}");

    /// <summary>A path in it.</summary>
    public string this[string name] => System.IO.Path.Join(Path, name);

    public string[] Names => [.. Directory.EnumerateFileSystemEntries(Path).Select(p => System.IO.Path.GetFileName(p)).Order(StringComparer.Ordinal)];

    /// <summary>Makes a sparse file in it.</summary>
    public string AddFile(string name, long bytes)
    {
        using FileStream file = File.Create(this[name]);
        file.SetLength(bytes);
        return this[name];
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
