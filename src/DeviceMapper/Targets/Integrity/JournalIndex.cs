namespace DeviceMapper.Targets.Integrity;

/// <summary>Which entry of a journal has the newest block of a sector, and whether another has a newer one.</summary>
internal sealed class JournalIndex
{
    private const int None = -1;

    private readonly ulong[] _sectors; // of each entry
    private readonly int[] _newer; // the next entry with the same sector
    private readonly int[] _older;
    private readonly Dictionary<ulong, int> _newest = [];

    /// <summary>Makes an empty one.</summary>
    /// <param name="entries">Of the journal.</param>
    public JournalIndex(int entries)
    {
        _sectors = new ulong[entries];
        _newer = new int[entries];
        _older = new int[entries];
    }

    /// <summary>Whether there is no entry.</summary>
    public bool IsEmpty => _newest.Count == 0;

    /// <summary>The newest entry of a sector; -1 for none.</summary>
    public int Find(ulong sector) => _newest.TryGetValue(sector, out int entry) ? entry : None;

    /// <summary>Adds an entry, newer than all that there are.</summary>
    public void Add(int entry, ulong sector)
    {
        int older = Find(sector);
        _sectors[entry] = sector;
        _older[entry] = older;
        _newer[entry] = None;
        if (older != None)
        {
            _newer[older] = entry;
        }

        _newest[sector] = entry;
    }

    /// <summary>The next newer entry of the same sector; -1 for none.</summary>
    public int NewerThan(int entry) => _newer[entry];

    /// <summary>Takes an entry out.</summary>
    public void Remove(int entry)
    {
        int older = _older[entry];
        int newer = _newer[entry];
        if (older != None)
        {
            _newer[older] = newer;
        }

        if (newer != None)
        {
            _older[newer] = older;
        }
        else if (older != None)
        {
            _newest[_sectors[entry]] = older;
        }
        else
        {
            _newest.Remove(_sectors[entry]);
        }
    }

    /// <summary>Takes all out.</summary>
    public void Clear() => _newest.Clear();
}
