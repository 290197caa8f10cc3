using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Thin;

/// <summary>
/// Blocks of volumes that are being mapped or unmapped, and the bios that wait for that (the part of the kernel's bio prison).
/// </summary>
internal sealed class BlockCells
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(ulong Volume, ulong Block), BioList> _cells = [];
    private volatile int _count;

    /// <summary>Whether a block is locked. Free of locks as long as none is.</summary>
    public bool IsLocked(ulong volume, ulong block)
    {
        if (_count == 0)
        {
            return false;
        }

        lock (_lock)
        {
            return _cells.ContainsKey((volume, block));
        }
    }

    /// <summary>Locks a block that is not locked.</summary>
    public void Lock(ulong volume, ulong block)
    {
        lock (_lock)
        {
            _cells.Add((volume, block), new BioList());
            _count = _cells.Count;
        }
    }

    /// <summary>Has a bio wait, if the block is locked.</summary>
    public bool TryWait(ulong volume, ulong block, Bio bio)
    {
        if (_count == 0)
        {
            return false;
        }

        lock (_lock)
        {
            if (!_cells.TryGetValue((volume, block), out BioList? waiting))
            {
                return false;
            }

            waiting.Add(bio);
            return true;
        }
    }

    /// <summary>Unlocks a block.</summary>
    /// <returns>The bios that waited.</returns>
    public Bio? Unlock(ulong volume, ulong block)
    {
        lock (_lock)
        {
            _cells.Remove((volume, block), out BioList? waiting);
            _count = _cells.Count;
            return waiting!.TakeAll();
        }
    }
}
