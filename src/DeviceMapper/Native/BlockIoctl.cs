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
}
