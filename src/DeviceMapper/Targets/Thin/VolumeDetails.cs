using System.Buffers.Binary;

namespace DeviceMapper.Targets.Thin;

/// <summary>What the metadata knows of a volume besides its mappings (the kernel's <c>struct disk_device_details</c>, 24 bytes, little-endian).</summary>
/// <param name="Mapped">How many blocks are mapped.</param>
/// <param name="TransactionId">The pool's transaction id when it was made.</param>
/// <param name="Created">The pool's time when it was made.</param>
/// <param name="Snapshotted">The pool's time when it was last the origin of a snapshot, or became one.</param>
internal readonly record struct VolumeDetails(ulong Mapped, ulong TransactionId, uint Created, uint Snapshotted)
{
    /// <summary>Bytes on the device.</summary>
    public const int Length = 24;

    /// <summary>Reads them.</summary>
    public static VolumeDetails Read(ReadOnlySpan<byte> data) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(data),
        BinaryPrimitives.ReadUInt64LittleEndian(data[8..]),
        BinaryPrimitives.ReadUInt32LittleEndian(data[16..]),
        BinaryPrimitives.ReadUInt32LittleEndian(data[20..]));

    /// <summary>Writes them.</summary>
    public void Write(Span<byte> data)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(data, Mapped);
        BinaryPrimitives.WriteUInt64LittleEndian(data[8..], TransactionId);
        BinaryPrimitives.WriteUInt32LittleEndian(data[16..], Created);
        BinaryPrimitives.WriteUInt32LittleEndian(data[20..], Snapshotted);
    }
}
