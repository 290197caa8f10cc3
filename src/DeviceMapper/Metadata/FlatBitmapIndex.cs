namespace DeviceMapper.Metadata;

/// <summary>
/// The bitmap index of the metadata device: one block, behind a header of 16 bytes (checksum, unused, own number), so at most 255 bitmaps
/// (the kernel's <c>struct disk_metadata_index</c>).
/// </summary>
internal sealed class FlatBitmapIndex : BitmapIndex
{
    /// <summary>The most bitmaps; the rest of a larger device is left alone.</summary>
    public const int MostBitmaps = 255;

    /// <summary>Bytes before the first entry.</summary>
    public const int HeaderLength = 16;

    private readonly TransactionManager _transaction;
    private readonly BitmapEntry[] _entries = new BitmapEntry[MostBitmaps];
    private readonly BitmapEntry[] _committed = new BitmapEntry[MostBitmaps];
    private ulong _root;
    private bool _changed;

    /// <summary>Makes an empty one, in a block that is yet to be allocated.</summary>
    public FlatBitmapIndex(TransactionManager transaction) => _transaction = transaction;

    /// <inheritdoc/>
    public override int Most => MostBitmaps;

    /// <inheritdoc/>
    public override ulong Root => _root;

    /// <summary>Makes its block.</summary>
    public void Create()
    {
        _root = _transaction.New(BlockKind.Index).Number;
        _changed = true;
    }

    /// <summary>Reads it.</summary>
    public void Open(ulong root, int count)
    {
        _root = root;
        byte[] data = _transaction.Read(root, BlockKind.Index).Data;
        for (int i = 0; i < count; i++)
        {
            _entries[i] = _committed[i] = BitmapEntry.Read(data.AsSpan(HeaderLength + (i * BitmapEntry.Length)));
        }
    }

    /// <inheritdoc/>
    public override BitmapEntry Get(int index) => _entries[index];

    /// <inheritdoc/>
    public override BitmapEntry GetCommitted(int index) => _committed[index];

    /// <inheritdoc/>
    public override void Set(int index, BitmapEntry entry)
    {
        _entries[index] = entry;
        _changed = true;
    }

    /// <inheritdoc/>
    public override bool Save()
    {
        if (!_changed)
        {
            return false;
        }

        _changed = false;
        MetadataBlock block = _transaction.Shadow(_root, BlockKind.Index, out _);
        _root = block.Number;
        for (int i = 0; i < MostBitmaps; i++)
        {
            _entries[i].Write(block.Data.AsSpan(HeaderLength + (i * BitmapEntry.Length)));
        }

        return true;
    }

    /// <inheritdoc/>
    public override void Committed() => _entries.CopyTo(_committed, 0);
}
