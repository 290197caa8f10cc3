using System.Buffers.Binary;
using DeviceMapper.Io;

namespace Udm.Run;

/// <summary>The kernel's structs that tell of a device node: <c>struct stat</c> of x86-64, and <c>struct statx</c>.</summary>
internal static class NodeStatus
{
    private const uint CharacterDevice = 0x2000, BlockDevice = 0x6000, OwnerReadWrite = 0x180; // S_IFCHR, S_IFBLK, 0600
    private const uint BasicStats = 0x7ff; // STATX_BASIC_STATS
    private const uint BlockSize = 4096;

    /// <summary>A <c>struct stat</c>, 144 bytes.</summary>
    public static byte[] Stat(bool block, DeviceNumber number, uint owner)
    {
        byte[] bytes = new byte[144];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), number.Encoded + 1); // st_ino: one for each node
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), 1); // st_nlink
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(24), Mode(block));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(28), owner);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(40), number.Encoded); // st_rdev
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(56), BlockSize);
        return bytes;
    }

    /// <summary>A <c>struct statx</c>, 256 bytes.</summary>
    public static byte[] StatX(bool block, DeviceNumber number, uint owner)
    {
        byte[] bytes = new byte[256];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, BasicStats);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), BlockSize);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(16), 1); // stx_nlink
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(20), owner);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(28), (ushort)Mode(block));
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(32), number.Encoded + 1); // stx_ino
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(128), number.Major);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(132), number.Minor);
        return bytes;
    }

    private static uint Mode(bool block) => (block ? BlockDevice : CharacterDevice) | OwnerReadWrite;
}
