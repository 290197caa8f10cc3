using System.Buffers.Binary;

namespace DeviceMapper.Metadata;

/// <summary>
/// What a superblock keeps of a space map (the kernel's <c>struct disk_sm_root</c>): 64 bits each, little-endian.
/// </summary>
/// <param name="Blocks">How many blocks it counts.</param>
/// <param name="Allocated">How many of them are in use.</param>
/// <param name="Bitmaps">The block of the bitmap index: an index block, or the root of a btree.</param>
/// <param name="Counts">The root of the btree of counts above 2.</param>
internal readonly record struct SpaceMapRoot(ulong Blocks, ulong Allocated, ulong Bitmaps, ulong Counts)
{
    /// <summary>Reads it.</summary>
    public static SpaceMapRoot Read(ReadOnlySpan<byte> data) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(data),
        BinaryPrimitives.ReadUInt64LittleEndian(data[8..]),
        BinaryPrimitives.ReadUInt64LittleEndian(data[16..]),
        BinaryPrimitives.ReadUInt64LittleEndian(data[24..]));

    /// <summary>Writes it.</summary>
    public void Write(Span<byte> data)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(data, Blocks);
        BinaryPrimitives.WriteUInt64LittleEndian(data[8..], Allocated);
        BinaryPrimitives.WriteUInt64LittleEndian(data[16..], Bitmaps);
        BinaryPrimitives.WriteUInt64LittleEndian(data[24..], Counts);
    }
}
