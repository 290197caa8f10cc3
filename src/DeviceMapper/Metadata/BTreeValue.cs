namespace DeviceMapper.Metadata;

/// <summary>What a btree must know of its values: how long they are, and what they refer to (the kernel's <c>dm_btree_value_type</c>).</summary>
/// <param name="size">Bytes.</param>
internal class BTreeValue(int size)
{
    /// <summary>Bytes.</summary>
    public int Size { get; } = size;

    /// <summary>A value is in one more leaf now.</summary>
    public virtual void Increment(ReadOnlySpan<byte> value)
    {
    }

    /// <summary>A value is in one leaf less.</summary>
    public virtual void Decrement(ReadOnlySpan<byte> value)
    {
    }
}
