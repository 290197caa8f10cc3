using System.Runtime.InteropServices;

namespace DeviceMapper.Native;

/// <summary>The ioctls of block devices (include/uapi/linux/fs.h, blkdev.h, loop.h).</summary>
internal static class BlockIoctl
{
    public const nuint ReadOnly = 0x125e; // BLKROGET, int
    public const nuint LogicalBlockSize = 0x1268; // BLKSSZGET, int
    public const nuint PhysicalBlockSize = 0x127b; // BLKPBSZGET, unsigned
    public const nuint IoMin = 0x1278; // BLKIOMIN, unsigned
    public const nuint IoOpt = 0x1279; // BLKIOOPT, unsigned
    public const nuint AlignmentOffset = 0x127a; // BLKALIGNOFF, int; -1: misaligned
    public const nuint Size = 0x80081272; // BLKGETSIZE64, bytes in 64 bits
    public const nuint Discard = 0x1277; // BLKDISCARD, a range
    public const nuint SecureDiscard = 0x127d; // BLKSECDISCARD, a range
    public const nuint ZeroOut = 0x127f; // BLKZEROOUT, a range
    public const nuint LoopStatus = 0x4c05; // LOOP_GET_STATUS64
}

/// <summary>The start of <c>struct loop_info64</c>.</summary>
[StructLayout(LayoutKind.Sequential, Size = 232)]
internal struct LoopInfo
{
    public ulong FileSystem; // as the kernel's huge_encode_dev
    public ulong Inode;
    public ulong Device; // of a block device behind it
    public ulong Offset; // bytes
    public ulong SizeLimit; // bytes; 0: to the end
}
