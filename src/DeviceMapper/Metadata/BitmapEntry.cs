using System.Buffers.Binary;

namespace DeviceMapper.Metadata;

/// <summary>
/// Where a bitmap is, and what is free in it (the kernel's <c>struct disk_index_entry</c>, 16 bytes, little-endian).
/// </summary>
/// <param name="Block">Its block.</param>
/// <param name="Free">How many of the blocks that it counts are free.</param>
/// <param name="NoneFreeBefore">An entry of it before which none is free.</param>
internal readonly record struct BitmapEntry(ulong Block, int Free, int NoneFreeBefore)
{
    /// <summary>Bytes on the device.</summary>
    public const int Length = 16;

    /// <summary>Reads it.</summary>
    public static BitmapEntry Read(ReadOnlySpan<byte> data) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(data),
        BinaryPrimitives.ReadInt32LittleEndian(data[8..]),
        BinaryPrimitives.ReadInt32LittleEndian(data[12..]));

    /// <summary>Writes it.</summary>
    public void Write(Span<byte> data)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(data, Block);
        BinaryPrimitives.WriteInt32LittleEndian(data[8..], Free);
        BinaryPrimitives.WriteInt32LittleEndian(data[12..], NoneFreeBefore);
    }
}
