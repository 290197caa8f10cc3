using System.Buffers.Binary;
using DeviceMapper.Native;

namespace DeviceMapper.Metadata;

/// <summary>
/// A btree from 64-bit keys to values of a fixed size (the kernel's dm-btree). It has no state but its root, which whoever changes it
/// keeps: a change copies the nodes on its way, so an earlier root is the tree as it was.
/// </summary>
/// <remarks>
/// A tree of trees is a btree whose values are roots. Nodes are split, filled up and merged when the kernel's are, so both use the same number of blocks.
/// </remarks>
internal sealed partial class BTree(TransactionManager transaction, BTreeValue values)
{
    private const int MostLevels = 16; // far more than 2^64 keys need; a damaged tree may lead back to itself

    /// <summary>Makes an empty tree.</summary>
    /// <returns>Its root.</returns>
    public ulong Create()
    {
        MetadataBlock block = transaction.New(BlockKind.Node);
        BTreeNode.Format(block.Data, leaf: true, values.Size);
        return block.Number;
    }

    /// <summary>Finds the value of a key.</summary>
    public bool TryFind(ulong root, ulong key, Span<byte> value)
    {
        BTreeNode node = FindLeaf(root, key);
        int index = node.LowerBound(key);
        if (index < 0 || node.Key(index) != key)
        {
            return false;
        }

        node.Value(index).CopyTo(value);
        return true;
    }

    /// <summary>Finds the value of a key, if that reads nothing from the device.</summary>
    /// <returns>Whether it is known now if there is one.</returns>
    public bool TryFindCached(ulong root, ulong key, Span<byte> value, out bool found)
    {
        found = false;
        for (int level = 0; level < MostLevels && transaction.Blocks.FindCached(root, BlockKind.Node) is { } block; level++)
        {
            BTreeNode node = new(block.Data);
            node.Check(root, values.Size);
            int index = node.LowerBound(key);
            if (node.IsLeaf)
            {
                found = index >= 0 && node.Key(index) == key;
                if (found)
                {
                    node.Value(index).CopyTo(value);
                }

                return true;
            }

            root = node.Child(Math.Max(index, 0));
        }

        return false;
    }

    /// <summary>The highest key; null in an empty tree.</summary>
    public ulong? HighestKey(ulong root)
    {
        for (int level = 0; level < MostLevels; level++)
        {
            BTreeNode node = Read(root);
            if (node.Count == 0)
            {
                return null;
            }

            if (node.IsLeaf)
            {
                return node.Key(node.Count - 1);
            }

            root = node.Child(node.Count - 1);
        }

        throw TooDeep(root);
    }

    /// <summary>Visits entries in order.</summary>
    /// <param name="root">The tree.</param>
    /// <param name="from">The lowest key.</param>
    /// <param name="visit">Called with each; false ends the visit.</param>
    public void Visit(ulong root, ulong from, Visitor visit) => VisitNode(root, from, visit, 0, 0, ulong.MaxValue);

    /// <summary>Is told of an entry.</summary>
    /// <returns>Whether to go on.</returns>
    public delegate bool Visitor(ulong key, ReadOnlySpan<byte> value);

    /// <summary>Sets the value of a key, whether it is there or not.</summary>
    /// <returns>The new root.</returns>
    public ulong Insert(ulong root, ulong key, ReadOnlySpan<byte> value, out bool isNew)
    {
        MetadataBlock block = FindForInsert(ref root, key);
        BTreeNode node = new(block.Data);
        int index = node.LowerBound(key);
        isNew = index < 0 || node.Key(index) != key;
        if (isNew)
        {
            node.InsertAt(index + 1, key, value);
        }
        else
        {
            if (!node.Value(index).SequenceEqual(value))
            {
                values.Decrement(node.Value(index));
            }

            value.CopyTo(node.Value(index));
        }

        return root;
    }

    /// <summary>
    /// Changes the value of a key that is there, in place; what it refers to is the caller's to count.
    /// </summary>
    /// <returns>The new root.</returns>
    /// <exception cref="DmException">ENODATA: the key is not there.</exception>
    public ulong Update(ulong root, ulong key, Func<ulong, ulong> change)
    {
        MetadataBlock block = FindForInsert(ref root, key);
        BTreeNode node = new(block.Data);
        int index = node.LowerBound(key);
        if (index < 0 || node.Key(index) != key)
        {
            throw new DmException(Errno.ENODATA, $"key {key} is not there");
        }

        BinaryPrimitives.WriteUInt64LittleEndian(node.Value(index), change(BinaryPrimitives.ReadUInt64LittleEndian(node.Value(index))));
        return root;
    }

    /// <summary>Drops a reference to a tree; what was only its own is free, and so are its values' references.</summary>
    public void Delete(ulong root) => DeleteNode(root, 0);

    private BTreeNode FindLeaf(ulong root, ulong key)
    {
        for (int level = 0; level < MostLevels; level++)
        {
            BTreeNode node = Read(root);
            if (node.IsLeaf)
            {
                return node;
            }

            root = node.Child(Math.Max(node.LowerBound(key), 0));
        }

        throw TooDeep(root);
    }

    private bool VisitNode(ulong number, ulong from, Visitor visit, int level, ulong low, ulong high)
    {
        if (level == MostLevels)
        {
            throw TooDeep(number);
        }

        BTreeNode node = Read(number);
        if (node.Count > 0 && (node.Key(0) < low || node.Key(node.Count - 1) > high))
        {
            // A damaged tree in which nodes have many ways to them would be walked without an end.
            throw new DmException(Errno.EILSEQ, $"metadata block {number} (btree node) has keys that do not belong to it");
        }

        int start = node.LowerBound(from);
        if (node.IsLeaf)
        {
            for (int i = start < 0 || node.Key(start) < from ? start + 1 : start; i < node.Count; i++)
            {
                if (!visit(node.Key(i), node.Value(i)))
                {
                    return false;
                }
            }

            return true;
        }

        for (int i = Math.Max(start, 0); i < node.Count; i++)
        {
            ulong last = i + 1 < node.Count ? node.Key(i + 1) - 1 : high;
            if (!VisitNode(node.Child(i), from, visit, level + 1, node.Key(i), last))
            {
                return false;
            }
        }

        return true;
    }

    private void DeleteNode(ulong number, int level)
    {
        if (level == MostLevels)
        {
            throw TooDeep(number);
        }

        if (transaction.Space.CountOf(number) <= 1)
        {
            BTreeNode node = Read(number);
            for (int i = 0; i < node.Count; i++)
            {
                if (node.IsLeaf)
                {
                    values.Decrement(node.Value(i));
                }
                else
                {
                    DeleteNode(node.Child(i), level + 1);
                }
            }
        }

        transaction.Decrement(number);
    }

    private BTreeNode Read(ulong number)
    {
        BTreeNode node = new(transaction.Read(number, BlockKind.Node).Data);
        node.Check(number, values.Size);
        return node;
    }

    /// <summary>Shadows a node; where others still use the original, what it refers to has one more reference each.</summary>
    private MetadataBlock Shadow(ulong number)
    {
        MetadataBlock block = transaction.Shadow(number, BlockKind.Node, out bool shared);
        BTreeNode node = new(block.Data);
        node.Check(number, values.Size);
        for (int i = 0; shared && i < node.Count; i++)
        {
            if (node.IsLeaf)
            {
                values.Increment(node.Value(i));
            }
            else
            {
                transaction.Increment(node.Child(i));
            }
        }

        return block;
    }

    /// <summary>Shadows a child, and tells the parent.</summary>
    private MetadataBlock ShadowChild(BTreeNode parent, int index)
    {
        MetadataBlock child = Shadow(parent.Child(index));
        parent.SetChild(index, child.Number);
        return child;
    }

    private static DmException TooDeep(ulong number) =>
        new(Errno.EILSEQ, $"metadata block {number}: the btree that leads to it is deeper than {MostLevels} levels");
}
