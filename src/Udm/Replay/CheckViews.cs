using DeviceMapper;
using DeviceMapper.Fuse;
using DeviceMapper.Mapping;

namespace Udm.Replay;

/// <summary>
/// Views of a replayed device for checks to change as they like: snapshots, as files of a FUSE mount of our own, whose changes stay in memory.
/// Where FUSE is not to be had they are copies.
/// </summary>
internal sealed class CheckViews : IDisposable
{
    private static readonly TimeSpan RemovalLimit = TimeSpan.FromSeconds(5);

    private readonly string _folder = Directory.CreateTempSubdirectory("udm-replay.").FullName;
    private readonly DeviceRegistry _registry;
    private readonly FuseMount? _mount;
    private int _count;

    public CheckViews()
    {
        string mapper = Path.Combine(_folder, "mapper");
        Directory.CreateDirectory(mapper);
        _registry = new DeviceRegistry(new DeviceRegistryOptions { MapperFolder = mapper });
        try
        {
            _mount = new FuseMount(mapper);
            _registry.AddExport(_mount);
        }
        catch (DmException)
        {
            // Copies do as well; they only take longer.
        }
    }

    /// <summary>Runs something on a view.</summary>
    /// <param name="device">What it is a view of; not changed meanwhile.</param>
    /// <param name="use">Given the view's path.</param>
    public T With<T>(string device, Func<string, T> use)
    {
        string name = $"view{Interlocked.Increment(ref _count)}";
        if (_mount is null)
        {
            string copy = Path.Combine(_folder, name);
            Files.Copy(device, copy);
            try
            {
                return use(copy);
            }
            finally
            {
                File.Delete(copy);
            }
        }

        // The changes may be as large as the device, and each chunk of them has its place in the store.
        long sectors = Files.Length(device) / 512;
        string origin = TableParser.EscapeWord(Path.GetFullPath(device));
        MappedDevice view = _registry.Create(name, $"0 {sectors} snapshot {origin} mem:{(sectors + 2048) * 512} N 8");
        try
        {
            return use(Path.Combine(_mount.Folder, name));
        }
        finally
        {
            Remove(view);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _registry.Dispose();
        _mount?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>A check may have left somebody behind who has the view open for a moment longer.</summary>
    private void Remove(MappedDevice view)
    {
        long end = Environment.TickCount64 + (long)RemovalLimit.TotalMilliseconds;
        while (true)
        {
            _mount!.Settle();
            try
            {
                _registry.Remove(view);
                return;
            }
            catch (DmException) when (Environment.TickCount64 < end)
            {
                Thread.Sleep(10);
            }
        }
    }
}
