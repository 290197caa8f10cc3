using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using DeviceMapper.Fuse.Protocol;
using DeviceMapper.Native;

namespace DeviceMapper.Fuse.Operations;

/// <summary>READDIR: as many names as fit, by name in byte order, after "." and "..".</summary>
internal static class ReadDirOperation
{
    private const uint RegularFileType = 8, DirectoryType = 4; // DT_REG, DT_DIR

    public static unsafe void Handle(FuseServer server, in FuseRequest request)
    {
        if (!request.TryRead(out FuseDataIn read) || read.Size > IoBuffers.MaxRequest)
        {
            server.Connection.Refuse(request.Unique, Errno.EINVAL);
            return;
        }

        if (server.Listings.Get(read.Handle, read.Offset == 0, server.Directory) is not { } files)
        {
            server.Connection.Refuse(request.Unique, Errno.EBADF);
            return;
        }

        IoBuffer buffer = server.Buffers.Rent((int)Math.Max(read.Size, 1));
        Span<byte> all = new((void*)buffer.Address, (int)read.Size);
        Span<byte> left = all;
        ulong next = read.Offset; // entry 0 is ".", 1 is "..", 2 the first file
        while (next < (ulong)files.Length + 2 && Append(ref left, next, files))
        {
            next++;
        }

        server.Connection.Reply(request.Unique, buffer.Address, all.Length - left.Length);
        buffer.Return();
    }

    private static bool Append(ref Span<byte> left, ulong number, FuseFile[] files)
    {
        FuseFile? file = number < 2 ? null : files[number - 2];
        string name = file?.Name ?? (number == 0 ? "." : "..");
        int header = Unsafe.SizeOf<FuseDirectoryEntry>();
        int nameLength = Encoding.UTF8.GetByteCount(name);
        int length = (header + nameLength + 7) & ~7;
        if (length > left.Length)
        {
            return false;
        }

        left[..length].Clear();
        MemoryMarshal.Write(left, new FuseDirectoryEntry
        {
            Inode = file?.Inode ?? FuseDirectory.RootNode,
            Offset = number + 1, // where a later READDIR goes on
            NameLength = (uint)nameLength,
            Type = file is null ? DirectoryType : RegularFileType,
        });
        Encoding.UTF8.GetBytes(name, left[header..]);
        left = left[length..];
        return true;
    }
}
