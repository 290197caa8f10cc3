using DeviceMapper.Native;

namespace DeviceMapper.Metadata;

/// <content>
/// Removes keys (drivers/md/persistent-data/dm-btree-remove.c): on the way down, the node that it goes to and its siblings are merged or filled up.
/// </content>
internal sealed partial class BTree
{
    /// <summary>Removes a key, and its value's reference.</summary>
    /// <returns>The new root.</returns>
    public ulong Remove(ulong root, ulong key, out bool removed)
    {
        removed = false;
        if (!Contains(root, key))
        {
            return root;
        }

        MetadataBlock block = Shadow(root);
        root = block.Number;
        for (int level = 0; level < MostLevels; level++)
        {
            BTreeNode node = new(block.Data);
            if (node.IsLeaf)
            {
                int index = node.LowerBound(key);
                if (index < 0 || node.Key(index) != key)
                {
                    throw new DmException(Errno.EILSEQ, $"metadata block {block.Number} (btree node) has lost key {key}: its keys are out of order");
                }

                values.Decrement(node.Value(index));
                node.DeleteAt(index);
                removed = true;
                return root;
            }

            if (node.Count == 0 || node.LowerBound(key) < 0)
            {
                throw new DmException(Errno.EILSEQ, $"metadata block {block.Number} (btree node) leads to key {key}, which does not belong to it");
            }

            Rebalance(block, key);
            node = new BTreeNode(block.Data); // it may be its only child by now
            if (!node.IsLeaf)
            {
                block = ShadowChild(node, Math.Max(node.LowerBound(key), 0));
            }
        }

        throw TooDeep(root);
    }

    private bool Contains(ulong root, ulong key)
    {
        BTreeNode leaf = FindLeaf(root, key);
        int index = leaf.LowerBound(key);
        return index >= 0 && leaf.Key(index) == key;
    }

    /// <summary>Sees that the child of a key has entries to spare.</summary>
    private void Rebalance(MetadataBlock block, ulong key)
    {
        BTreeNode node = new(block.Data);
        if (node.Count == 1)
        {
            MetadataBlock child = ShadowChild(node, 0);
            child.Data.CopyTo(block.Data, 0);
            transaction.Decrement(child.Number); // what it referred to, the parent does now
            return;
        }

        int place = node.LowerBound(key);
        if (place > 0 && place < node.Count - 1)
        {
            RebalanceThree(node, place - 1);
        }
        else
        {
            RebalanceTwo(node, place > 0 ? place - 1 : 0);
        }
    }

    private static int MergeThreshold(BTreeNode node) => node.Max / 3;

    private void RebalanceTwo(BTreeNode parent, int leftPlace)
    {
        MetadataBlock left = ShadowChild(parent, leftPlace);
        MetadataBlock right = ShadowChild(parent, leftPlace + 1);
        RebalanceTwo(parent, leftPlace, left, right);
    }

    private void RebalanceTwo(BTreeNode parent, int leftPlace, MetadataBlock leftBlock, MetadataBlock rightBlock)
    {
        BTreeNode left = new(leftBlock.Data);
        BTreeNode right = new(rightBlock.Data);
        int total = left.Count + right.Count;
        if (total < 2 * (MergeThreshold(left) + 1))
        {
            left.ShareWith(right, total);
            parent.DeleteAt(leftPlace + 1);
            transaction.Decrement(rightBlock.Number); // its entries live on in the left one
        }
        else
        {
            left.ShareWith(right, total / 2);
            parent.SetKey(leftPlace + 1, right.Key(0));
        }
    }

    private void RebalanceThree(BTreeNode parent, int leftPlace)
    {
        MetadataBlock leftBlock = ShadowChild(parent, leftPlace);
        MetadataBlock middleBlock = ShadowChild(parent, leftPlace + 1);
        MetadataBlock rightBlock = ShadowChild(parent, leftPlace + 2);
        BTreeNode left = new(leftBlock.Data);
        BTreeNode middle = new(middleBlock.Data);
        BTreeNode right = new(rightBlock.Data);
        int total = left.Count + middle.Count + right.Count;
        if (total < (MergeThreshold(left) * 4) + 1)
        {
            left.ShareWith(middle, Math.Min(left.Max, left.Count + middle.Count));
            middle.ShareWith(right, 0);
            parent.SetKey(leftPlace + 2, right.Key(0));
            parent.DeleteAt(leftPlace + 1);
            transaction.Decrement(middleBlock.Number);
            RebalanceTwo(parent, leftPlace, leftBlock, rightBlock);
            return;
        }

        int forRight = total / 3;
        int forLeft = forRight * 3 != total ? forRight + 1 : forRight;
        ShareOutThree(left, middle, right, forLeft, total - forLeft - forRight);
        parent.SetKey(leftPlace + 1, middle.Key(0));
        parent.SetKey(leftPlace + 2, right.Key(0));
    }

    /// <summary>Deals entries out to three neighbours. The middle one must never be over-full on the way.</summary>
    private static void ShareOutThree(BTreeNode left, BTreeNode middle, BTreeNode right, int forLeft, int forMiddle)
    {
        if (left.Count < forLeft && left.Count + middle.Count < forLeft)
        {
            // The left one needs entries of the right one too.
            middle.ShareWith(right, forLeft - left.Count);
        }
        else if (left.Count > forLeft && left.Count + middle.Count - forLeft > middle.Max)
        {
            middle.ShareWith(right, middle.Max - (left.Count - forLeft)); // make room for what the left one gives
        }

        left.ShareWith(middle, forLeft);
        middle.ShareWith(right, forMiddle);
    }
}
