using System.Runtime.InteropServices;

namespace DeviceMapper.Fuse.Native;

/// <summary>The ioctls of loop devices, of block devices, and of file systems that are frozen (include/uapi/linux/loop.h, fs.h).</summary>
internal static class LoopIoctl
{
    public const nuint Clear = 0x4c01; // LOOP_CLR_FD
    public const nuint SetStatus = 0x4c04; // LOOP_SET_STATUS64, LoopInfo
    public const nuint SetCapacity = 0x4c07; // LOOP_SET_CAPACITY
    public const nuint SetDirectIo = 0x4c08; // LOOP_SET_DIRECT_IO, 0 or 1
    public const nuint SetBlockSize = 0x4c09; // LOOP_SET_BLOCK_SIZE, bytes
    public const nuint Configure = 0x4c0a; // LOOP_CONFIGURE, LoopConfig
    public const nuint GetFree = 0x4c82; // LOOP_CTL_GET_FREE, of /dev/loop-control
    public const nuint SetReadOnly = 0x125d; // BLKROSET, int
    public const nuint Freeze = 0xc0045877; // FIFREEZE
    public const nuint Thaw = 0xc0045878; // FITHAW

    public const uint AutoClear = 4, DirectIo = 16; // LO_FLAGS_*
}

/// <summary><c>struct loop_info64</c>, as far as it is used.</summary>
[StructLayout(LayoutKind.Explicit, Size = 232)]
internal unsafe struct LoopInfo
{
    public const int NameLength = 64; // LO_NAME_SIZE, with the NUL

    [FieldOffset(52)]
    public uint Flags;

    [FieldOffset(56)]
    public fixed byte FileName[NameLength];
}

/// <summary><c>struct loop_config</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 304)]
internal struct LoopConfig
{
    [FieldOffset(0)]
    public int Descriptor;

    [FieldOffset(4)]
    public uint BlockSize; // bytes

    [FieldOffset(8)]
    public LoopInfo Info;
}
