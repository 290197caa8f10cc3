namespace DeviceMapper.Metadata;

/// <summary>The bitmap index of a data device: a btree from the number of a bitmap to its entry. Entries that were used are kept in memory.</summary>
internal sealed class TreeBitmapIndex : BitmapIndex
{
    private readonly BTree _tree;
    private readonly Dictionary<int, BitmapEntry> _entries = [];
    private readonly Dictionary<int, BitmapEntry> _committed = [];
    private readonly HashSet<int> _changed = [];
    private ulong _root;
    private ulong _committedRoot;

    /// <summary>Makes an empty one, or reads one.</summary>
    public TreeBitmapIndex(TransactionManager transaction, ulong? root)
    {
        _tree = new BTree(transaction, new BTreeValue(BitmapEntry.Length));
        _root = root ?? _tree.Create();
        _committedRoot = root ?? 0;
    }

    /// <inheritdoc/>
    public override int Most => int.MaxValue;

    /// <inheritdoc/>
    public override ulong Root => _root;

    /// <inheritdoc/>
    public override BitmapEntry Get(int index)
    {
        if (!_entries.TryGetValue(index, out BitmapEntry entry))
        {
            entry = Find(_root, index);
            _entries.Add(index, entry);
        }

        return entry;
    }

    /// <inheritdoc/>
    public override BitmapEntry GetCommitted(int index)
    {
        if (!_committed.TryGetValue(index, out BitmapEntry entry))
        {
            entry = _committedRoot == 0 ? default : Find(_committedRoot, index);
            _committed.Add(index, entry);
        }

        return entry;
    }

    /// <inheritdoc/>
    public override void Set(int index, BitmapEntry entry)
    {
        _entries[index] = entry;
        _changed.Add(index);
    }

    /// <inheritdoc/>
    public override bool Save()
    {
        bool changed = _changed.Count > 0;
        Span<byte> value = stackalloc byte[BitmapEntry.Length];
        foreach (int index in _changed.Order())
        {
            _entries[index].Write(value);
            _root = _tree.Insert(_root, (ulong)index, value, out _);
        }

        _changed.Clear();
        return changed;
    }

    /// <inheritdoc/>
    public override void Committed()
    {
        _committedRoot = _root;
        _committed.Clear();
    }

    private BitmapEntry Find(ulong root, int index)
    {
        Span<byte> value = stackalloc byte[BitmapEntry.Length];
        return _tree.TryFind(root, (ulong)index, value) ? BitmapEntry.Read(value) : default;
    }
}
