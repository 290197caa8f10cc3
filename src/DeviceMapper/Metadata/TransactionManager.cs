namespace DeviceMapper.Metadata;

/// <summary>
/// Changes blocks without changing what was committed: the first change of a block in a transaction goes to a copy in a free place, its shadow
/// (the kernel's dm-transaction-manager).
/// </summary>
internal sealed class TransactionManager
{
    private readonly HashSet<ulong> _shadows = []; // blocks that this transaction made: they may be changed in place

    /// <summary>Works on blocks, and counts them in a space map.</summary>
    public TransactionManager(BlockManager blocks)
    {
        Blocks = blocks;
        Space = new MetadataSpaceMap(this);
    }

    /// <summary>The blocks.</summary>
    public BlockManager Blocks { get; }

    /// <summary>Which of them are in use.</summary>
    public MetadataSpaceMap Space { get; }

    /// <summary>Gives a block to be read.</summary>
    public MetadataBlock Read(ulong number, BlockKind kind) => Blocks.Read(number, kind);

    /// <summary>Makes a new block.</summary>
    /// <exception cref="DmException">ENOSPC: no block is free.</exception>
    public MetadataBlock New(BlockKind kind)
    {
        ulong number = Space.Allocate();
        _shadows.Add(number);
        return Blocks.New(number, kind);
    }

    /// <summary>
    /// Gives a block to be changed: itself where this transaction made it and only one refers to it, else a copy, with one reference less to the
    /// block itself. Whoever refers to the block refers to the copy from now on.
    /// </summary>
    /// <param name="number">The block.</param>
    /// <param name="kind">What it is.</param>
    /// <param name="wasShared">Others still refer to the block, so that what the copy refers to has one more reference each.</param>
    public MetadataBlock Shadow(ulong number, BlockKind kind, out bool wasShared)
    {
        wasShared = Space.CountOf(number) > 1;
        MetadataBlock block = Blocks.Read(number, kind);
        if (!wasShared && _shadows.Contains(number))
        {
            Blocks.MarkDirty(block);
            return block;
        }

        MetadataBlock shadow = New(kind);
        block.Data.CopyTo(shadow.Data, 0);
        Space.Decrement(number);
        return shadow;
    }

    /// <summary>One more refers to a block.</summary>
    public void Increment(ulong number) => Space.Increment(number);

    /// <summary>One less refers to a block.</summary>
    public void Decrement(ulong number) => Space.Decrement(number);

    /// <summary>Writes all but the superblock, and makes it durable; then the superblock may be written, and then <see cref="Committed"/> called.</summary>
    public void PreCommit()
    {
        Space.PreCommit();
        Blocks.Flush();
    }

    /// <summary>The superblock is durable: a new transaction begins.</summary>
    public void Committed()
    {
        Space.Committed();
        _shadows.Clear();
    }

    /// <summary>A block is free in this transaction; nobody will write it.</summary>
    internal void Freed(ulong number)
    {
        if (_shadows.Remove(number))
        {
            Blocks.Forget(number);
        }
    }
}
