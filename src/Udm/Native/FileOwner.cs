using System.Runtime.InteropServices;

namespace Udm.Native;

/// <summary>Whose a file is, which .NET does not tell.</summary>
internal static unsafe partial class FileOwner
{
    private const int AtFdCwd = -100, AtSymlinkNoFollow = 0x100;
    private const uint StatxModeAndUid = 0x2 | 0x8;
    private const int UidOffset = 20, ModeOffset = 28; // in struct statx

    /// <summary>The user and the permission bits of a file; of a symbolic link, its own. Null where it cannot be looked at.</summary>
    public static (uint User, UnixFileMode Mode)? Of(string path)
    {
        byte* status = stackalloc byte[256];
        return statx(AtFdCwd, path, AtSymlinkNoFollow, StatxModeAndUid, status) == 0
            ? (*(uint*)(status + UidOffset), (UnixFileMode)(*(ushort*)(status + ModeOffset) & 0xfff))
            : null;
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int directory, string path, int flags, uint mask, byte* status);
}
