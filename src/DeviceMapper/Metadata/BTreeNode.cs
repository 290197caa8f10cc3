using System.Buffers.Binary;
using DeviceMapper.Native;

namespace DeviceMapper.Metadata;

/// <summary>
/// A node of a btree as it lies in its block (the kernel's <c>struct btree_node</c>, drivers/md/persistent-data/dm-btree-internal.h).
/// </summary>
/// <remarks>
/// Little-endian: 32 checksum, 32 flags (1 inner node, 2 leaf), 64 own number, 32 entries, 32 most entries, 32 bytes of a value, 32 unused;
/// then room for the most keys, 64 bits each, in rising order; then room for the most values. A value of an inner node is the number of a
/// child, whose keys are not below the key beside it.
/// </remarks>
internal readonly ref struct BTreeNode(Span<byte> data)
{
    private const int HeaderLength = 32;
    private const int KeyLength = 8;
    private const uint Inner = 1;
    private const uint Leaf = 2;

    private readonly Span<byte> _data = data;
    private readonly int _max = BinaryPrimitives.ReadInt32LittleEndian(data[20..]);
    private readonly int _valueSize = BinaryPrimitives.ReadInt32LittleEndian(data[24..]);

    /// <summary>How many entries it has.</summary>
    public int Count
    {
        get => BinaryPrimitives.ReadInt32LittleEndian(_data[16..]);
        set => BinaryPrimitives.WriteInt32LittleEndian(_data[16..], value);
    }

    /// <summary>The most that it may have.</summary>
    public int Max => _max;

    /// <summary>Bytes of a value.</summary>
    public int ValueSize => _valueSize;

    /// <summary>Whether its values are those of the tree, and not nodes.</summary>
    public bool IsLeaf => BinaryPrimitives.ReadUInt32LittleEndian(_data[4..]) == Leaf;

    /// <summary>The most entries of a node with values of a size: a multiple of three, so that thirds can be dealt out.</summary>
    public static int MaxFor(int valueSize) => (BlockKind.Size - HeaderLength) / (KeyLength + valueSize) / 3 * 3;

    /// <summary>Makes an empty node of a block.</summary>
    public static BTreeNode Format(Span<byte> data, bool leaf, int valueSize)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(data[4..], leaf ? Leaf : Inner);
        BinaryPrimitives.WriteInt32LittleEndian(data[16..], 0);
        BinaryPrimitives.WriteInt32LittleEndian(data[20..], MaxFor(valueSize));
        BinaryPrimitives.WriteInt32LittleEndian(data[24..], valueSize);
        return new BTreeNode(data);
    }

    /// <summary>Sees that the header makes sense, so that nothing behind it is read out of bounds.</summary>
    /// <exception cref="DmException">EILSEQ: it does not.</exception>
    public void Check(ulong number, int leafValueSize)
    {
        uint flags = BinaryPrimitives.ReadUInt32LittleEndian(_data[4..]);
        int size = flags == Leaf ? leafValueSize : sizeof(ulong);
        if ((flags != Leaf && flags != Inner)
            || _valueSize != size
            || _max != MaxFor(_valueSize)
            || (uint)Count > (uint)_max)
        {
            throw new DmException(Errno.EILSEQ, $"metadata block {number} is not a sound btree node: {Count} of {_max} entries of {_valueSize} bytes, flags {flags}");
        }
    }

    /// <summary>A key.</summary>
    public ulong Key(int index) => BinaryPrimitives.ReadUInt64LittleEndian(_data[(HeaderLength + (index * KeyLength))..]);

    /// <summary>Changes a key.</summary>
    public void SetKey(int index, ulong key) => BinaryPrimitives.WriteUInt64LittleEndian(_data[(HeaderLength + (index * KeyLength))..], key);

    /// <summary>A value.</summary>
    public Span<byte> Value(int index) => _data.Slice(HeaderLength + (_max * KeyLength) + (index * _valueSize), _valueSize);

    /// <summary>A child of an inner node.</summary>
    public ulong Child(int index) => BinaryPrimitives.ReadUInt64LittleEndian(Value(index));

    /// <summary>Changes a child of an inner node.</summary>
    public void SetChild(int index, ulong number) => BinaryPrimitives.WriteUInt64LittleEndian(Value(index), number);

    /// <summary>The last entry whose key is not above a key; -1 if there is none.</summary>
    public int LowerBound(ulong key)
    {
        int low = -1;
        int high = Count;
        while (high - low > 1)
        {
            int middle = (low + high) >>> 1;
            if (Key(middle) <= key)
            {
                low = middle;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    /// <summary>Adds an entry; there must be room.</summary>
    public void InsertAt(int index, ulong key, ReadOnlySpan<byte> value)
    {
        int count = Count;
        Move(index, index + 1, count - index);
        SetKey(index, key);
        value.CopyTo(Value(index));
        Count = count + 1;
    }

    /// <summary>Adds a child.</summary>
    public void InsertChildAt(int index, ulong key, ulong number)
    {
        Span<byte> value = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(value, number);
        InsertAt(index, key, value);
    }

    /// <summary>Removes an entry.</summary>
    public void DeleteAt(int index)
    {
        int count = Count;
        Move(index + 1, index, count - index - 1);
        Count = count - 1;
    }

    /// <summary>Moves entries from the start of the node to its right to the end of this, or back, until this has so many.</summary>
    public void ShareWith(BTreeNode right, int leftCount)
    {
        int own = Count;
        int others = right.Count;
        int moved = leftCount - own;
        if (moved > 0)
        {
            right.CopyTo(0, this, own, moved);
            right.Move(moved, 0, others - moved);
        }
        else if (moved < 0)
        {
            right.Move(0, -moved, others);
            CopyTo(leftCount, right, 0, -moved);
        }

        Count = leftCount;
        right.Count = others - moved;
    }

    private void CopyTo(int from, BTreeNode target, int to, int count)
    {
        Keys(from, count).CopyTo(target.Keys(to, count));
        Values(from, count).CopyTo(target.Values(to, count));
    }

    private void Move(int from, int to, int count)
    {
        Keys(from, count).CopyTo(Keys(to, count));
        Values(from, count).CopyTo(Values(to, count));
    }

    private Span<byte> Keys(int from, int count) => _data.Slice(HeaderLength + (from * KeyLength), count * KeyLength);

    private Span<byte> Values(int from, int count) => _data.Slice(HeaderLength + (_max * KeyLength) + (from * _valueSize), count * _valueSize);
}
