using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Metadata;
using DeviceMapper.Native;
using DeviceMapper.Targets.Thin;

namespace DeviceMapper.Volumes.Thin;

/// <summary>New metadata in a new file, filled with the volumes of another.</summary>
internal sealed class RestoredMetadata : IDisposable
{
    private readonly DeviceRegistry _registry;
    private readonly ThinMetadata _metadata;
    private readonly string _path;
    private bool _complete;

    /// <summary>Makes the file.</summary>
    /// <param name="path">Its name; nothing may have it.</param>
    /// <param name="blocks">Metadata blocks that it has.</param>
    /// <param name="old">The superblock of the old metadata.</param>
    public RestoredMetadata(string path, ulong blocks, ThinSuperblock old)
    {
        _path = Path.GetFullPath(path);
        if (Path.Exists(_path))
        {
            throw new DmException(Errno.EEXIST, $"'{path}' is there already: only a new file is written to");
        }

        blocks = Math.Min(blocks, ThinMetadata.MostMetadataBlocks);
        _registry = new DeviceRegistry(new DeviceRegistryOptions());
        try
        {
            string word = TableParser.EscapeWord($"file:{_path}?size={blocks * BlockKind.Size}");
            MappedDevice device = _registry.Create("restored", $"0 {blocks * BlockKind.Size / Sector.Size} linear {word} 0");
            _metadata = new ThinMetadata(device, old.DataBlockSize, () => { });
            _metadata.ExtendData(old.DataSpace.Blocks);
            _metadata.BeginRestore(old.Time, old.TransactionId);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>How many blocks so many mappings need, of volumes that share none: nodes half full, and as much again for changes.</summary>
    public static ulong BlocksFor(ulong mappings) => 1024 + (mappings / 60);

    /// <summary>A volume follows.</summary>
    public void BeginVolume() => _metadata.BeginRestoredVolume();

    /// <summary>A mapping of it, as the btree has it.</summary>
    public void Add(ulong block, ulong mapping) => _metadata.RestoreMapping(block, mapping);

    /// <summary>It has no more.</summary>
    public void EndVolume(ulong id, VolumeDetails details) => _metadata.EndRestoredVolume(id, details);

    /// <summary>Makes all of it durable.</summary>
    public void Commit()
    {
        _metadata.Commit();
        _complete = true;
    }

    /// <summary>Ends; a file that was not completed is gone.</summary>
    public void Dispose()
    {
        _registry.Dispose();
        if (!_complete)
        {
            File.Delete(_path);
        }
    }
}
