using System.Collections.Concurrent;
using DeviceMapper.Fuse.Protocol;

namespace DeviceMapper.Fuse;

/// <summary>
/// The one directory of the mount: files by name and by node. The kernel is told to keep nothing of it (all its timeouts are
/// zero), so a change is seen by the next look.
/// </summary>
internal sealed class FuseDirectory(uint user, uint group)
{
    /// <summary>The directory's own node and inode.</summary>
    public const ulong RootNode = 1;

    private const uint DirectoryMode = 0x4000 | 0x1ed; // S_IFDIR, 0755

    private readonly Lock _lock = new();
    private readonly Dictionary<string, FuseFile> _byName = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<ulong, FuseFile> _byNode = new();
    private readonly long _made = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
    private ulong _lastNode = RootNode;
    private FuseFile[]? _sorted; // made when somebody lists, forgotten with each change

    /// <summary>All files, by name in byte order.</summary>
    public FuseFile[] Files
    {
        get
        {
            lock (_lock)
            {
                if (_sorted is null)
                {
                    _sorted = [.. _byName.Values];
                    Array.Sort(_sorted, (a, b) => string.CompareOrdinal(a.Name, b.Name));
                }

                return _sorted;
            }
        }
    }

    public FuseAttr Attributes() => new()
    {
        Inode = RootNode,
        AccessTime = (ulong)_made,
        ModifyTime = (ulong)_made,
        ChangeTime = (ulong)_made,
        Mode = DirectoryMode,
        Links = 2,
        User = user,
        Group = group,
        BlockSize = 4096,
    };

    public void Add(FuseFile file)
    {
        lock (_lock)
        {
            file.NodeId = ++_lastNode;
            _byNode[file.NodeId] = file;
            _byName[file.Name] = file;
            _sorted = null;
        }
    }

    /// <summary>Gives a file another name. Who has it open keeps it.</summary>
    public void Rename(FuseFile file, string name)
    {
        lock (_lock)
        {
            Forget(file);
            file.Name = name;
            _byName[name] = file;
            _sorted = null;
        }
    }

    public void Remove(FuseFile file)
    {
        lock (_lock)
        {
            Forget(file);
            _byNode.TryRemove(file.NodeId, out _);
            _sorted = null;
        }
    }

    public FuseFile? FindByName(string name)
    {
        lock (_lock)
        {
            return _byName.GetValueOrDefault(name);
        }
    }

    /// <summary>Finds by what the kernel calls it; null for a file that is gone, and for the directory.</summary>
    public FuseFile? FindByNode(ulong node) => _byNode.GetValueOrDefault(node);

    private void Forget(FuseFile file)
    {
        // Names may have been exchanged meanwhile: the name may be another's by now.
        if (_byName.TryGetValue(file.Name, out FuseFile? named) && named == file)
        {
            _byName.Remove(file.Name);
        }
    }
}
