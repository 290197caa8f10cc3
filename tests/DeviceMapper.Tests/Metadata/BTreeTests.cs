using System.Buffers.Binary;
using DeviceMapper.Metadata;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Metadata;

public sealed class BTreeTests
{
    [Theory]
    [InlineData(1, 1 << 20)]
    [InlineData(2, 600)]
    [InlineData(3, 4000)]
    public void It_holds_what_a_dictionary_does(int seed, int keys)
    {
        Random random = new(seed);
        using ClaimedDevice device = NewDevice();
        TransactionManager transaction = NewTransaction(device);
        ulong free = transaction.Space.Free;
        BTree tree = new(transaction, new BTreeValue(8));
        ulong root = tree.Create();
        SortedDictionary<ulong, ulong> model = [];
        for (int round = 0; round < 20; round++)
        {
            bool shrinking = round % 4 == 3;
            for (int i = 0; i < 1000; i++)
            {
                ulong key = (ulong)random.Next(keys);
                if (shrinking ? random.Next(4) > 0 : random.Next(5) == 0)
                {
                    key = shrinking && model.Count > 0 ? model.First().Key + (ulong)random.Next(3) : key;
                    root = tree.Remove(root, key, out bool removed);
                    Assert.Equal(model.Remove(key), removed);
                }
                else
                {
                    root = tree.Insert(root, key, Value(key + (ulong)i), out bool isNew);
                    Assert.Equal(!model.ContainsKey(key), isNew);
                    model[key] = key + (ulong)i;
                }
            }

            CheckSame(tree, root, model);
            Commit(transaction);
        }

        tree.Delete(root);
        Commit(transaction);
        Assert.Equal(free, transaction.Space.Free);
    }

    [Fact]
    public void Rising_keys_and_falling_keys_and_the_extremes_are_found()
    {
        using ClaimedDevice device = NewDevice();
        TransactionManager transaction = NewTransaction(device);
        BTree tree = new(transaction, new BTreeValue(8));
        ulong root = tree.Create();
        SortedDictionary<ulong, ulong> model = [];
        ulong[] keys = [ulong.MaxValue, 0, .. Enumerable.Range(0, 3000).Select(i => 1_000_000 + (ulong)i), .. Enumerable.Range(0, 3000).Select(i => 900_000 - (ulong)i)];
        foreach (ulong key in keys)
        {
            root = tree.Insert(root, key, Value(~key), out _);
            model[key] = ~key;
        }

        CheckSame(tree, root, model);
        Assert.Equal(ulong.MaxValue, tree.HighestKey(root));
        foreach (ulong key in keys)
        {
            root = tree.Remove(root, key, out bool removed);
            Assert.True(removed);
        }

        Assert.Null(tree.HighestKey(root));
    }

    [Fact]
    public void A_root_that_is_kept_is_the_tree_as_it_was()
    {
        using ClaimedDevice device = NewDevice();
        TransactionManager transaction = NewTransaction(device);
        ulong free = transaction.Space.Free;
        BTree tree = new(transaction, new BTreeValue(8));
        ulong root = tree.Create();
        Random random = new(5);
        List<(ulong Root, SortedDictionary<ulong, ulong> Model)> kept = [];
        SortedDictionary<ulong, ulong> model = [];
        for (int i = 0; i < 12; i++)
        {
            for (int n = 0; n < 400; n++)
            {
                ulong key = (ulong)random.Next(2000);
                if (n % 3 == 0)
                {
                    root = tree.Remove(root, key, out _);
                    model.Remove(key);
                }
                else
                {
                    root = tree.Insert(root, key, Value((ulong)n), out _);
                    model[key] = (ulong)n;
                }
            }

            transaction.Increment(root);
            kept.Add((root, new(model)));
            if (i % 3 == 0)
            {
                Commit(transaction);
            }
        }

        Assert.All(kept, k => CheckSame(tree, k.Root, k.Model));
        foreach ((ulong old, _) in kept.OrderBy(_ => random.Next()))
        {
            tree.Delete(old);
        }

        CheckSame(tree, root, model);
        tree.Delete(root);
        Commit(transaction);
        Assert.Equal(free, transaction.Space.Free);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(16)]
    [InlineData(20)]
    [InlineData(24)]
    public void A_damaged_node_is_an_error(int offset)
    {
        using ClaimedDevice device = NewDevice();
        TransactionManager transaction = NewTransaction(device);
        BTree tree = new(transaction, new BTreeValue(8));
        MetadataBlock block = transaction.Read(tree.Create(), BlockKind.Node);
        BinaryPrimitives.WriteUInt32LittleEndian(block.Data.AsSpan(offset), 0xffff);
        Assert.Throws<DmException>(() => tree.TryFind(block.Number, 1, new byte[8]));
        Assert.Throws<DmException>(() => tree.Insert(block.Number, 1, new byte[8], out _));
    }

    [Fact]
    public void A_node_that_leads_back_to_itself_is_an_error()
    {
        using ClaimedDevice device = NewDevice();
        TransactionManager transaction = NewTransaction(device);
        BTree tree = new(transaction, new BTreeValue(8));
        MetadataBlock block = transaction.Read(tree.Create(), BlockKind.Node);
        BTreeNode node = BTreeNode.Format(block.Data, leaf: false, 8);
        node.InsertChildAt(0, 0, block.Number);
        Assert.Throws<DmException>(() => tree.TryFind(block.Number, 1, new byte[8]));
        Assert.Throws<DmException>(() => tree.Visit(block.Number, 0, (_, _) => true));
    }

    [Fact]
    public void A_reference_to_a_block_that_does_not_exist_is_an_error()
    {
        using ClaimedDevice device = NewDevice();
        TransactionManager transaction = NewTransaction(device);
        foreach (ulong block in (ulong[])[device.Device.Size.Bytes / BlockKind.Size, 1 << 30, ulong.MaxValue])
        {
            DmException error = Assert.Throws<DmException>(() => transaction.Increment(block));
            Assert.Equal(Native.Errno.EILSEQ, error.Errno);
            Assert.Throws<DmException>(() => transaction.Decrement(block));
        }

        Commit(transaction);
    }

    private static ClaimedDevice NewDevice() => new(new FakeDevice("m", 65536));

    private static TransactionManager NewTransaction(ClaimedDevice device)
    {
        TransactionManager transaction = new(new BlockManager(device.Device, 256));
        transaction.Space.Create(device.Device.Size.Bytes / BlockKind.Size, 1);
        Commit(transaction);
        return transaction;
    }

    private static void Commit(TransactionManager transaction)
    {
        transaction.PreCommit();
        transaction.Committed();
    }

    private static void CheckSame(BTree tree, ulong root, SortedDictionary<ulong, ulong> model)
    {
        List<KeyValuePair<ulong, ulong>> found = [];
        tree.Visit(root, 0, (key, value) =>
        {
            found.Add(new(key, BinaryPrimitives.ReadUInt64LittleEndian(value)));
            return true;
        });
        Assert.Equal(model, found);
        byte[] value = new byte[8];
        Assert.All(model.Take(500), p =>
        {
            Assert.True(tree.TryFind(root, p.Key, value));
            Assert.Equal(p.Value, BinaryPrimitives.ReadUInt64LittleEndian(value));
        });
    }

    private static byte[] Value(ulong value)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        return bytes;
    }
}
