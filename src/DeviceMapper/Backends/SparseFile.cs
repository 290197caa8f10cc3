using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Backends;

/// <summary>Makes files that take no room until they are written to.</summary>
internal static class SparseFile
{
    private const uint Permissions = 0x1b6; // 0666, less the umask

    /// <summary>Makes a file, unless somebody else has made it meanwhile.</summary>
    /// <param name="path">Where; its folder must exist.</param>
    /// <param name="size">How large.</param>
    /// <param name="made">Whether this call made it.</param>
    /// <returns>None too where the file was there.</returns>
    public static Errno TryMake(string path, SectorCount size, out bool made)
    {
        made = false;
        Errno error = OpenFile.TryOpen(path, LibC.O_RDWR | LibC.O_CREAT | LibC.O_EXCL, out OpenFile? file, Permissions);
        if (error != Errno.None)
        {
            return error == Errno.EEXIST ? Errno.None : error;
        }

        using (file)
        {
            error = file!.SetSize(size.Bytes);
        }

        made = error == Errno.None;
        if (!made)
        {
            _ = LibC.Unlink(path);
        }

        return error;
    }
}
