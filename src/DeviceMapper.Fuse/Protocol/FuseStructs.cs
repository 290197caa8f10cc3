using System.Runtime.InteropServices;

namespace DeviceMapper.Fuse.Protocol;

// The structs of linux/fuse.h, in the order of that file, with the fields that are used named as there.
// All of them are padded to 8 bytes by explicit fields or Size.

[StructLayout(LayoutKind.Sequential)]
internal struct FuseAttr
{
    public ulong Inode, Size, Blocks, AccessTime, ModifyTime, ChangeTime;
    public uint AccessNanoseconds, ModifyNanoseconds, ChangeNanoseconds;
    public uint Mode, Links, User, Group, DeviceNumber, BlockSize, Flags;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseEntryOut
{
    public ulong NodeId, Generation, EntryValid, AttrValid;
    public uint EntryValidNanoseconds, AttrValidNanoseconds;
    public FuseAttr Attr;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseAttrOut
{
    public ulong AttrValid;
    public uint AttrValidNanoseconds, Dummy;
    public FuseAttr Attr;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseSetAttrIn
{
    public uint Valid, Padding;
    public ulong Handle, Size, LockOwner, AccessTime, ModifyTime, ChangeTime;
    public uint AccessNanoseconds, ModifyNanoseconds, ChangeNanoseconds;
    public uint Mode, Unused4, User, Group, Unused5;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseOpenIn
{
    public uint Flags, OpenFlags;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseOpenOut
{
    public ulong Handle;
    public uint OpenFlags, Padding;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseReleaseIn
{
    public ulong Handle;
    public uint Flags, ReleaseFlags;
    public ulong LockOwner;
}

/// <summary><c>fuse_read_in</c> and <c>fuse_write_in</c>, which have the same fields.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FuseDataIn
{
    public ulong Handle, Offset;
    public uint Size, DataFlags;
    public ulong LockOwner;
    public uint Flags, Padding;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseWriteOut
{
    public uint Size, Padding;
}

[StructLayout(LayoutKind.Sequential, Size = 80)]
internal struct FuseStatFsOut
{
    public ulong Blocks, FreeBlocks, AvailableBlocks, Files, FreeFiles;
    public uint BlockSize, NameLength, FragmentSize;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseInitIn
{
    public uint Major, Minor, MaxReadahead, Flags;
}

[StructLayout(LayoutKind.Sequential, Size = 64)]
internal struct FuseInitOut
{
    public uint Major, Minor, MaxReadahead, Flags;
    public ushort MaxBackground, CongestionThreshold;
    public uint MaxWrite, TimeGranularity;
    public ushort MaxPages, MapAlignment;
    public uint Flags2;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseFallocateIn
{
    public ulong Handle, Offset, Length;
    public uint Mode, Padding;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseInHeader
{
    public uint Length;
    public FuseOpcode Opcode;
    public ulong Unique, NodeId;
    public uint User, Group, Process;
    public ushort ExtensionLength, Padding;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseOutHeader
{
    public uint Length;
    public int Error;
    public ulong Unique;
}

/// <summary><c>fuse_dirent</c> without the name, which follows, padded to 8 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FuseDirectoryEntry
{
    public ulong Inode, Offset;
    public uint NameLength, Type;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseLseekIn
{
    public ulong Handle, Offset;
    public uint Whence, Padding;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseIoctlIn
{
    public ulong Handle;
    public uint Flags, Command;
    public ulong Argument;
    public uint InSize, OutSize;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseIoctlOut
{
    public int Result;
    public uint Flags, InVectors, OutVectors;
}
