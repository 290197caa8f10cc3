using System.Buffers.Binary;
using DeviceMapper.Io;

namespace Udm.Run;

/// <summary>The kernel's structs that tell of a device node: <c>struct stat</c> of x86-64, and <c>struct statx</c>.</summary>
internal static class NodeStatus
{
    /// <summary>Bytes of a <c>struct stat</c>.</summary>
    public const int StatSize = 144;

    /// <summary>Bytes of a <c>struct statx</c>.</summary>
    public const int StatXSize = 256;

    private const uint FileType = 0xf000, CharacterDevice = 0x2000, BlockDevice = 0x6000, OwnerReadWrite = 0x180; // S_IFCHR, S_IFBLK, 0600
    private const uint BasicStats = 0x7ff; // STATX_BASIC_STATS
    private const uint BlockSize = 4096;

    /// <summary>A <c>struct stat</c>.</summary>
    public static byte[] Stat(bool block, DeviceNumber number, uint owner)
    {
        byte[] bytes = new byte[StatSize];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), number.Encoded + 1); // st_ino: one for each node
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), 1); // st_nlink
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(24), Mode(block));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(28), owner);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(40), number.Encoded); // st_rdev
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(56), BlockSize);
        return bytes;
    }

    /// <summary>A <c>struct statx</c>.</summary>
    public static byte[] StatX(bool block, DeviceNumber number, uint owner)
    {
        byte[] bytes = new byte[StatXSize];
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

    /// <summary>The device that a file is the node of; null where it is no node.</summary>
    /// <param name="status">A <c>struct stat</c>.</param>
    public static (bool Block, DeviceNumber Number)? Node(ReadOnlySpan<byte> status) => (BinaryPrimitives.ReadUInt32LittleEndian(status[24..]) & FileType) switch
    {
        BlockDevice => (true, DeviceNumber.Decode(BinaryPrimitives.ReadUInt64LittleEndian(status[40..]))),
        CharacterDevice => (false, DeviceNumber.Decode(BinaryPrimitives.ReadUInt64LittleEndian(status[40..]))),
        _ => null,
    };

    /// <summary>The number of the device that a file's file system is on.</summary>
    /// <param name="status">A <c>struct stat</c> or a <c>struct statx</c>, by its length.</param>
    public static DeviceNumber FileSystem(ReadOnlySpan<byte> status) => status.Length == StatXSize
        ? new DeviceNumber(BinaryPrimitives.ReadUInt32LittleEndian(status[136..]), BinaryPrimitives.ReadUInt32LittleEndian(status[140..])) // stx_dev_*
        : DeviceNumber.Decode(BinaryPrimitives.ReadUInt64LittleEndian(status)); // st_dev

    /// <summary>Says that a file is on the file system of a device.</summary>
    /// <param name="status">A <c>struct stat</c> or a <c>struct statx</c>, by its length.</param>
    /// <param name="number">The device's.</param>
    /// <returns>The same struct.</returns>
    public static byte[] WithFileSystem(byte[] status, DeviceNumber number)
    {
        if (status.Length == StatXSize)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(status.AsSpan(136), number.Major);
            BinaryPrimitives.WriteUInt32LittleEndian(status.AsSpan(140), number.Minor);
        }
        else
        {
            BinaryPrimitives.WriteUInt64LittleEndian(status, number.Encoded);
        }

        return status;
    }

    private static uint Mode(bool block) => (block ? BlockDevice : CharacterDevice) | OwnerReadWrite;
}
