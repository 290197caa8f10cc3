using DeviceMapper.Fuse.Native;
using DeviceMapper.Io;

namespace DeviceMapper.Fuse.Loop;

/// <summary>What is frozen on the block device of one suspended device.</summary>
internal sealed class Freezer : IDisposable
{
    private readonly List<Descriptor> _frozen = [];
    private ThawGuard? _guard;

    /// <summary>Freezes the file systems on a block device; all of them, or none.</summary>
    /// <returns>Null where there is nothing to freeze.</returns>
    /// <exception cref="DmException">One of them cannot be.</exception>
    public static Freezer? Freeze(DeviceNumber device)
    {
        IReadOnlyList<string> folders = FileSystems.On(device);
        if (folders.Count == 0)
        {
            return null;
        }

        Freezer freezer = new() { _guard = ThawGuard.Start(folders) };
        try
        {
            foreach (string folder in folders)
            {
                if (FileSystems.Freeze(folder, out Descriptor frozen))
                {
                    freezer._frozen.Add(frozen);
                }
            }
        }
        catch
        {
            freezer.Dispose();
            throw;
        }

        return freezer;
    }

    /// <summary>Thaws them.</summary>
    public void Dispose()
    {
        _frozen.ForEach(FileSystems.Thaw);
        _guard?.Dispose();
    }
}
