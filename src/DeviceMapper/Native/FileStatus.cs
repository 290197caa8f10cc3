using System.Buffers.Binary;
using DeviceMapper.Io;

namespace DeviceMapper.Native;

/// <summary>What kind of thing a path leads to.</summary>
internal enum FileKind
{
    Pipe = 0x1,
    CharacterDevice = 0x2,
    Folder = 0x4,
    BlockDevice = 0x6,
    File = 0x8,
    Link = 0xa,
    Socket = 0xc,
}

/// <summary>What <c>statx(2)</c> tells of a file.</summary>
internal readonly record struct FileStatus
{
    private const int StructureSize = 256;

    /// <summary>What it is.</summary>
    public FileKind Kind { get; private init; }

    /// <summary>The number of its file system.</summary>
    public DeviceNumber FileSystem { get; private init; }

    /// <summary>Its inode.</summary>
    public ulong Inode { get; private init; }

    /// <summary>The number of a block or character device.</summary>
    public DeviceNumber Device { get; private init; }

    /// <summary>Bytes of a regular file.</summary>
    public ulong Size { get; private init; }

    /// <summary>The unit in which its file system allocates, in bytes.</summary>
    public uint BlockSize { get; private init; }

    /// <summary>What O_DIRECT wants of memory, in bytes; 0 where that is not known or O_DIRECT is not there.</summary>
    public uint DirectMemoryAlignment { get; private init; }

    /// <summary>What O_DIRECT wants of offsets and lengths, in bytes; 0 where that is not known or O_DIRECT is not there.</summary>
    public uint DirectOffsetAlignment { get; private init; }

    /// <summary>Asks about a path, symbolic links followed.</summary>
    public static Errno TryGet(string path, out FileStatus status) => TryGet(LibC.AT_FDCWD, path, 0, out status);

    /// <summary>Asks about an open file.</summary>
    public static Errno TryGet(int descriptor, out FileStatus status) => TryGet(descriptor, "", LibC.AT_EMPTY_PATH, out status);

    private static unsafe Errno TryGet(int directory, string path, int flags, out FileStatus status)
    {
        byte* raw = stackalloc byte[StructureSize];
        if (LibC.StatX(directory, path, flags, LibC.STATX_BASIC_STATS | LibC.STATX_DIOALIGN, raw) < 0)
        {
            status = default;
            return Errnos.Last;
        }

        status = Parse(new ReadOnlySpan<byte>(raw, StructureSize));
        return Errno.None;
    }

    // struct statx, the same on every architecture.
    private static FileStatus Parse(ReadOnlySpan<byte> raw)
    {
        bool direct = (U32(raw, 0) & LibC.STATX_DIOALIGN) != 0;
        return new FileStatus
        {
            BlockSize = U32(raw, 4),
            Kind = (FileKind)(BinaryPrimitives.ReadUInt16LittleEndian(raw[28..]) >> 12),
            Inode = U64(raw, 32),
            Size = U64(raw, 40),
            Device = new DeviceNumber(U32(raw, 128), U32(raw, 132)),
            FileSystem = new DeviceNumber(U32(raw, 136), U32(raw, 140)),
            DirectMemoryAlignment = direct ? U32(raw, 152) : 0,
            DirectOffsetAlignment = direct ? U32(raw, 156) : 0,
        };
    }

    private static uint U32(ReadOnlySpan<byte> raw, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(raw[offset..]);

    private static ulong U64(ReadOnlySpan<byte> raw, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(raw[offset..]);
}
