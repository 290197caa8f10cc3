namespace DeviceMapper.Metadata;

/// <summary>Where the bitmaps of a space map are.</summary>
internal abstract class BitmapIndex
{
    /// <summary>The most bitmaps that it can hold.</summary>
    public abstract int Most { get; }

    /// <summary>An entry.</summary>
    public abstract BitmapEntry Get(int index);

    /// <summary>Changes an entry, or adds one at the end.</summary>
    public abstract void Set(int index, BitmapEntry entry);

    /// <summary>An entry as it was at the last commit; one of block 0 where there was none.</summary>
    public abstract BitmapEntry GetCommitted(int index);

    /// <summary>Puts the changes into blocks.</summary>
    /// <returns>Whether there were any.</returns>
    public abstract bool Save();

    /// <summary>The block that the superblock names.</summary>
    public abstract ulong Root { get; }

    /// <summary>What there is now is what was committed.</summary>
    public abstract void Committed();
}
