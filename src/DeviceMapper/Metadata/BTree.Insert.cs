namespace DeviceMapper.Metadata;

/// <content>
/// Makes room on the way down (drivers/md/persistent-data/dm-btree.c): a full node gives entries to a sibling that has room and is not
/// shared, else it is split in two, or with a sibling in three.
/// </content>
internal sealed partial class BTree
{
    private const int RoomWorthMoving = 8; // entries that a sibling must have free

    /// <summary>Goes to the leaf of a key, copying nodes on the way; there is room in it.</summary>
    private MetadataBlock FindForInsert(ref ulong root, ulong key)
    {
        MetadataBlock block = Shadow(root);
        root = block.Number;
        MetadataBlock? parent = null;
        int place = 0; // in the parent
        for (int level = 0; level < MostLevels; level++)
        {
            if (!HasRoom(block, key))
            {
                if (parent is null)
                {
                    SplitRoot(block);
                }
                else
                {
                    block = MakeRoom(parent, place, block, key);
                }
            }

            BTreeNode node = new(block.Data);
            if (node.IsLeaf)
            {
                return block;
            }

            place = node.LowerBound(key);
            if (place < 0)
            {
                node.SetKey(0, key); // the lowest key of all
                place = 0;
            }

            parent = block;
            block = ShadowChild(node, place);
        }

        throw TooDeep(root);
    }

    private static bool HasRoom(MetadataBlock block, ulong key)
    {
        BTreeNode node = new(block.Data);
        if (node.Count < node.Max)
        {
            return true;
        }

        int index = node.LowerBound(key);
        return node.IsLeaf && index >= 0 && node.Key(index) == key; // it is overwritten
    }

    /// <summary>Makes room in a node that is not the root.</summary>
    /// <returns>The node where the key belongs now.</returns>
    private MetadataBlock MakeRoom(MetadataBlock parentBlock, int place, MetadataBlock block, ulong key)
    {
        BTreeNode parent = new(parentBlock.Data);
        bool leftShared = place > 0 && transaction.Space.CountOf(parent.Child(place - 1)) > 1;
        if (place > 0 && !leftShared && RoomIn(parent.Child(place - 1)) >= RoomWorthMoving)
        {
            return ShareOut(parent, place, ShadowChild(parent, place - 1), block, key);
        }

        bool hasRight = place < parent.Count - 1;
        bool rightShared = hasRight && transaction.Space.CountOf(parent.Child(place + 1)) > 1;
        if (hasRight && !rightShared && RoomIn(parent.Child(place + 1)) >= RoomWorthMoving)
        {
            return ShareOut(parent, place + 1, block, ShadowChild(parent, place + 1), key);
        }

        // Two into three packs better, but keys that only rise or fall are better split in two at the ends.
        return leftShared || rightShared || parent.Count <= 2 || place == 0 || !hasRight
            ? SplitInTwo(parent, place, block, key)
            : SplitInThree(parent, place, block, key);
    }

    private int RoomIn(ulong number)
    {
        BTreeNode node = Read(number);
        return node.Max - node.Count;
    }

    /// <summary>Shares the entries of two neighbours equally.</summary>
    /// <param name="parent">Their parent.</param>
    /// <param name="rightPlace">The right one's place in it.</param>
    /// <param name="leftBlock">The left one.</param>
    /// <param name="rightBlock">The right one.</param>
    /// <param name="key">The key that is to be inserted.</param>
    private static MetadataBlock ShareOut(BTreeNode parent, int rightPlace, MetadataBlock leftBlock, MetadataBlock rightBlock, ulong key)
    {
        BTreeNode left = new(leftBlock.Data);
        BTreeNode right = new(rightBlock.Data);
        left.ShareWith(right, (left.Count + right.Count) / 2);
        parent.SetKey(rightPlace, right.Key(0));
        return key < right.Key(0) ? leftBlock : rightBlock;
    }

    private MetadataBlock SplitInTwo(BTreeNode parent, int place, MetadataBlock leftBlock, ulong key)
    {
        BTreeNode left = new(leftBlock.Data);
        MetadataBlock rightBlock = transaction.New(BlockKind.Node);
        BTreeNode right = BTreeNode.Format(rightBlock.Data, left.IsLeaf, left.ValueSize);
        left.ShareWith(right, left.Count / 2);
        parent.InsertChildAt(place + 1, right.Key(0), rightBlock.Number);
        return key < right.Key(0) ? leftBlock : rightBlock;
    }

    /// <summary>Puts a new node between the left sibling and this one, and gives each a third.</summary>
    private MetadataBlock SplitInThree(BTreeNode parent, int place, MetadataBlock rightBlock, ulong key)
    {
        MetadataBlock leftBlock = ShadowChild(parent, place - 1);
        BTreeNode left = new(leftBlock.Data);
        BTreeNode right = new(rightBlock.Data);
        MetadataBlock middleBlock = transaction.New(BlockKind.Node);
        BTreeNode middle = BTreeNode.Format(middleBlock.Data, left.IsLeaf, left.ValueSize);
        int total = left.Count + right.Count;
        int forLeft = total / 3;
        int forMiddle = (total - forLeft) / 2;
        left.ShareWith(middle, forLeft);
        middle.ShareWith(right, forMiddle);
        parent.SetKey(place, right.Key(0));
        parent.InsertChildAt(place, middle.Key(0), middleBlock.Number);
        return key < middle.Key(0) ? leftBlock : key < right.Key(0) ? middleBlock : rightBlock;
    }

    /// <summary>Moves the entries of a full root to two new children: the tree has one more level.</summary>
    private void SplitRoot(MetadataBlock rootBlock)
    {
        BTreeNode root = new(rootBlock.Data);
        MetadataBlock leftBlock = transaction.New(BlockKind.Node);
        MetadataBlock rightBlock = transaction.New(BlockKind.Node);
        BTreeNode left = BTreeNode.Format(leftBlock.Data, root.IsLeaf, root.ValueSize);
        BTreeNode right = BTreeNode.Format(rightBlock.Data, root.IsLeaf, root.ValueSize);
        int half = root.Count / 2;
        left.ShareWith(root, half);
        right.ShareWith(root, root.Count);
        root = BTreeNode.Format(rootBlock.Data, leaf: false, sizeof(ulong));
        root.InsertChildAt(0, left.Key(0), leftBlock.Number);
        root.InsertChildAt(1, right.Key(0), rightBlock.Number);
    }
}
