using System.Buffers.Binary;
using DeviceMapper.Native;

namespace DeviceMapper.Metadata;

/// <summary>
/// How often each block of a device is referred to: bitmaps for counts up to 2, and a btree for those above (the kernel's <c>struct ll_disk</c>,
/// drivers/md/persistent-data/dm-space-map-common.c).
/// </summary>
internal sealed class ReferenceCounts
{
    private readonly TransactionManager _transaction;
    private readonly BTree _counts;
    private ulong _countsRoot;

    /// <summary>Makes an empty one.</summary>
    public ReferenceCounts(TransactionManager transaction, BitmapIndex index)
    {
        _transaction = transaction;
        Index = index;
        _counts = new BTree(transaction, new BTreeValue(sizeof(uint)));
    }

    /// <summary>Where its bitmaps are.</summary>
    public BitmapIndex Index { get; }

    /// <summary>How many blocks it counts.</summary>
    public ulong Blocks { get; private set; }

    /// <summary>How many are in use.</summary>
    public ulong Allocated { get; private set; }

    /// <summary>What the superblock keeps; after <see cref="BitmapIndex.Save"/>.</summary>
    public SpaceMapRoot Root => new(Blocks, Allocated, Index.Root, _countsRoot);

    /// <summary>Makes its btree.</summary>
    public void Create() => _countsRoot = _counts.Create();

    /// <summary>Takes what the superblock kept.</summary>
    /// <exception cref="DmException">EILSEQ: its numbers cannot be.</exception>
    public void Open(SpaceMapRoot root)
    {
        if (root.Blocks > (ulong)Index.Most * Bitmap.Entries || root.Allocated > root.Blocks)
        {
            throw new DmException(Errno.EILSEQ, $"a space map says that {root.Allocated} of {root.Blocks} blocks are in use, which cannot be");
        }

        Blocks = root.Blocks;
        Allocated = root.Allocated;
        _countsRoot = root.Counts;
    }

    /// <summary>How many bitmaps so many blocks need.</summary>
    public static int BitmapsFor(ulong blocks) => checked((int)((blocks + Bitmap.Entries - 1) / Bitmap.Entries));

    /// <summary>Counts more blocks, all of them free.</summary>
    /// <exception cref="DmException">EINVAL: more than it can; ENOSPC: no metadata block is free.</exception>
    public void Extend(ulong blocks)
    {
        if (blocks > (ulong)Index.Most * Bitmap.Entries)
        {
            throw new DmException(Errno.EINVAL, $"a space map cannot have more than {Index.Most} bitmaps of {Bitmap.Entries} blocks");
        }

        int before = BitmapsFor(Blocks);
        int after = BitmapsFor(blocks);
        if (before > 0 && Blocks % Bitmap.Entries != 0)
        {
            // The last bitmap counts more of its entries from now on.
            BitmapEntry last = Index.Get(before - 1);
            ulong covered = Math.Min(blocks, (ulong)before * Bitmap.Entries);
            Index.Set(before - 1, last with { Free = last.Free + (int)(covered - Blocks) });
        }

        Blocks = blocks;
        for (int i = before; i < after; i++)
        {
            int entries = (int)Math.Min(Bitmap.Entries, blocks - ((ulong)i * Bitmap.Entries));
            Index.Set(i, new BitmapEntry(_transaction.New(BlockKind.Bitmap).Number, entries, 0));
        }
    }

    /// <summary>How often a block is referred to.</summary>
    public uint this[ulong block]
    {
        get
        {
            CheckRange(block);
            BitmapEntry entry = Index.Get((int)(block / Bitmap.Entries));
            int count = new Bitmap(_transaction.Read(entry.Block, BlockKind.Bitmap).Data)[(int)(block % Bitmap.Entries)];
            return count < Bitmap.Many ? (uint)count : Large(block);
        }

        set => Set(block, value);
    }

    /// <summary>The first block from one on, below another, that is free now and was free at the last commit; null if there is none.</summary>
    public ulong? FindFree(ulong from, ulong end)
    {
        end = Math.Min(end, Blocks);
        while (from < end)
        {
            int index = (int)(from / Bitmap.Entries);
            ulong first = (ulong)index * Bitmap.Entries;
            int limit = (int)Math.Min(Bitmap.Entries, end - first);
            BitmapEntry entry = Index.Get(index);
            if (entry.Free > 0)
            {
                int at = Math.Max((int)(from - first), entry.NoneFreeBefore);
                while ((at = new Bitmap(_transaction.Read(entry.Block, BlockKind.Bitmap).Data).FindFree(at, limit)) >= 0)
                {
                    if (WasFree(index, at, entry))
                    {
                        return first + (ulong)at;
                    }

                    at++;
                }
            }

            from = first + Bitmap.Entries;
        }

        return null;
    }

    /// <summary>Copies the bitmap that counts a block, where this transaction has not yet: its place is taken now, and not at the end.</summary>
    public void ShadowBitmap(ulong block)
    {
        int index = (int)(block / Bitmap.Entries);
        BitmapEntry entry = Index.Get(index);
        ulong shadow = _transaction.Shadow(entry.Block, BlockKind.Bitmap, out _).Number;
        if (shadow != entry.Block)
        {
            Index.Set(index, entry with { Block = shadow });
        }
    }

    private bool WasFree(int index, int at, BitmapEntry now)
    {
        BitmapEntry committed = Index.GetCommitted(index);
        return committed.Block == 0 || committed.Block == now.Block || new Bitmap(_transaction.Read(committed.Block, BlockKind.Bitmap).Data)[at] == 0;
    }

    private void Set(ulong block, uint count)
    {
        CheckRange(block);
        int index = (int)(block / Bitmap.Entries);
        int at = (int)(block % Bitmap.Entries);
        BitmapEntry entry = Index.Get(index);
        MetadataBlock shadow = _transaction.Shadow(entry.Block, BlockKind.Bitmap, out _);
        Bitmap bitmap = new(shadow.Data);
        int old = bitmap[at];
        bitmap[at] = (int)Math.Min(count, Bitmap.Many);
        entry = entry with { Block = shadow.Number };
        if (old == 0 && count > 0)
        {
            Allocated++;
            entry = entry with { Free = entry.Free - 1, NoneFreeBefore = entry.NoneFreeBefore == at ? at + 1 : entry.NoneFreeBefore };
        }
        else if (old > 0 && count == 0)
        {
            Allocated--;
            entry = entry with { Free = entry.Free + 1, NoneFreeBefore = Math.Min(entry.NoneFreeBefore, at) };
        }

        Index.Set(index, entry);
        if (count >= Bitmap.Many)
        {
            Span<byte> value = stackalloc byte[sizeof(uint)];
            BinaryPrimitives.WriteUInt32LittleEndian(value, count);
            _countsRoot = _counts.Insert(_countsRoot, block, value, out _);
        }
        else if (old == Bitmap.Many)
        {
            _countsRoot = _counts.Remove(_countsRoot, block, out _);
        }
    }

    private uint Large(ulong block)
    {
        Span<byte> value = stackalloc byte[sizeof(uint)];
        return _counts.TryFind(_countsRoot, block, value)
            ? BinaryPrimitives.ReadUInt32LittleEndian(value)
            : throw new DmException(Errno.EILSEQ, $"the space map has no count of block {block}, which is referred to more than twice");
    }

    private void CheckRange(ulong block)
    {
        if (block >= Blocks)
        {
            throw new DmException(Errno.EINVAL, $"block {block} lies beyond the {Blocks} blocks of the space map");
        }
    }
}
