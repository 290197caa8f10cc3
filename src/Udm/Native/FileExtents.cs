using System.ComponentModel;
using System.Runtime.InteropServices;
using DeviceMapper.Io;
using Microsoft.Win32.SafeHandles;

namespace Udm.Native;

/// <summary>Where a file's data are on the device of its file system: the <c>FS_IOC_FIEMAP</c> ioctl (linux/fiemap.h).</summary>
internal static unsafe partial class FileExtents
{
    private const nuint Fiemap = 0xc020660b; // FS_IOC_FIEMAP
    private const uint Sync = 1; // FIEMAP_FLAG_SYNC: what is not written yet is written first
    private const uint Last = 0x1, Unknown = 0x2, DelayedAllocation = 0x4; // FIEMAP_EXTENT_
    private const int HeaderSize = 32, ExtentSize = 56, ExtentsOfACall = 128;
    private const int AtEmptyPath = 0x1000, RegularFile = 8;
    private const uint StatxType = 1;
    private const int ModeOffset = 28, DeviceOffset = 136; // in struct statx

    /// <summary>The extents of a file, in the file's order; those that follow one another on the device are one.</summary>
    /// <returns>Bytes on the device.</returns>
    /// <exception cref="Win32Exception">The file system has no such map.</exception>
    public static IReadOnlyList<(ulong Start, ulong Length)> Of(SafeFileHandle file)
    {
        List<(ulong Start, ulong Length)> extents = [];
        byte* map = stackalloc byte[HeaderSize + (ExtentSize * ExtentsOfACall)];
        ulong from = 0;
        while (true)
        {
            new Span<byte>(map, HeaderSize).Clear();
            *(ulong*)map = from;
            *(ulong*)(map + 8) = ulong.MaxValue;
            *(uint*)(map + 16) = Sync;
            *(uint*)(map + 24) = ExtentsOfACall;
            if (ioctl(file, Fiemap, map) < 0)
            {
                throw new Win32Exception(Marshal.GetLastPInvokeError());
            }

            uint found = *(uint*)(map + 20);
            for (uint i = 0; i < found; i++)
            {
                byte* extent = map + HeaderSize + (i * ExtentSize);
                (ulong logical, ulong physical, ulong length, uint flags) = (*(ulong*)extent, *(ulong*)(extent + 8), *(ulong*)(extent + 16), *(uint*)(extent + 40));
                from = logical + length;
                if ((flags & (Unknown | DelayedAllocation)) == 0)
                {
                    Add(extents, physical, length);
                }

                if ((flags & Last) != 0)
                {
                    return extents;
                }
            }

            if (found == 0)
            {
                return extents;
            }
        }
    }

    /// <summary>The number of the device that a file's file system is on; null where it is no regular file, or cannot be looked at.</summary>
    public static DeviceNumber? DeviceOf(SafeFileHandle file)
    {
        byte* status = stackalloc byte[256];
        return statx(file, "", AtEmptyPath, StatxType, status) == 0 && *(ushort*)(status + ModeOffset) >> 12 == RegularFile
            ? new DeviceNumber(*(uint*)(status + DeviceOffset), *(uint*)(status + DeviceOffset + 4))
            : null;
    }

    private static void Add(List<(ulong Start, ulong Length)> extents, ulong start, ulong length)
    {
        if (extents.Count > 0 && extents[^1].Start + extents[^1].Length == start)
        {
            extents[^1] = (extents[^1].Start, extents[^1].Length + length);
        }
        else
        {
            extents.Add((start, length));
        }
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(SafeFileHandle directory, string path, int flags, uint mask, byte* status);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(SafeFileHandle file, nuint request, byte* argument);
}
