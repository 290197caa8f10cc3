namespace DeviceMapper.Targets.Switch;

/// <summary>
/// Which path each region uses, in as few bits as hold a path's number, packed into words: a million regions on two paths are 128 KiB,
/// as in the kernel (drivers/md/dm-switch.c). Any number of threads may read while one writes.
/// </summary>
internal sealed class RegionTable
{
    private readonly ulong[] _words;
    private readonly int _bits; // of an entry; entries do not reach over words
    private readonly int _entriesPerWord;

    /// <summary>Makes a table in which the paths take turns.</summary>
    /// <exception cref="OverflowException">There is no array of that size.</exception>
    /// <exception cref="OutOfMemoryException">There is not enough memory.</exception>
    public RegionTable(ulong regions, uint paths)
    {
        Count = regions;
        _bits = 1;
        while (1UL << _bits < paths)
        {
            _bits++;
        }

        _entriesPerWord = 64 / _bits;
        _words = new ulong[checked((int)((regions + (ulong)_entriesPerWord - 1) / (ulong)_entriesPerWord))];
        if (paths > 1)
        {
            for (ulong region = 0; region < regions; region++)
            {
                this[region] = (uint)(region % paths);
            }
        }
    }

    /// <summary>How many regions there are.</summary>
    public ulong Count { get; }

    /// <summary>The path of a region.</summary>
    public uint this[ulong region]
    {
        get
        {
            (ulong word, int shift) = Place(region);
            return (uint)((Volatile.Read(ref _words[word]) >> shift) & ((1UL << _bits) - 1));
        }

        set
        {
            (ulong word, int shift) = Place(region);
            ulong mask = ((1UL << _bits) - 1) << shift;
            Volatile.Write(ref _words[word], (_words[word] & ~mask) | ((ulong)value << shift));
        }
    }

    private (ulong Word, int Shift) Place(ulong region)
    {
        (ulong word, ulong entry) = Math.DivRem(region, (ulong)_entriesPerWord);
        return (word, (int)entry * _bits);
    }
}
