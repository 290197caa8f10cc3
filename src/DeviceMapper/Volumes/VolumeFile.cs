using System.Globalization;
using DeviceMapper.Backends;
using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Volumes;

/// <summary>A file or block device that has a volume, or gets one.</summary>
internal static class VolumeFile
{
    private const int Piece = 1 << 20; // bytes

    /// <summary>Opens one that is only read.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="bufferSize">Bytes that are read at once; 0: as many as are asked for.</param>
    /// <exception cref="DmException">EACCES, ENOENT: it cannot be opened.</exception>
    public static FileStream OpenForReading(string path, int bufferSize = 0)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DmException(e is UnauthorizedAccessException ? Errno.EACCES : Errno.ENOENT, $"'{path}' cannot be read", e);
        }
    }

    /// <summary>Opens one that is written.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="mayBeNew">Whether it is made where it is not there.</param>
    /// <param name="bufferSize">Bytes that are written at once; 0: as many as are given.</param>
    /// <exception cref="DmException">EACCES, ENOENT: it cannot be opened.</exception>
    public static FileStream OpenForWriting(string path, bool mayBeNew, int bufferSize = 0)
    {
        FileStreamOptions options = new()
        {
            Mode = mayBeNew ? FileMode.OpenOrCreate : FileMode.Open,
            Access = FileAccess.ReadWrite,
            Share = FileShare.ReadWrite,
            BufferSize = bufferSize,
        };
        if (mayBeNew)
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        try
        {
            return new FileStream(path, options);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DmException(e is UnauthorizedAccessException ? Errno.EACCES : Errno.ENOENT, $"'{path}' cannot be written", e);
        }
    }

    /// <summary>Keeps others off, as a table does that names the device: nothing is taken from who uses it.</summary>
    /// <exception cref="DmException">EBUSY: somebody uses it.</exception>
    public static OpenFile Claim(string path)
    {
        bool block = FileStatus.TryGet(path, out FileStatus status) == Errno.None && status.Kind == FileKind.BlockDevice;
        Errno error = OpenFile.TryOpen(path, block ? LibC.O_RDONLY | LibC.O_EXCL : LibC.O_RDWR, out OpenFile? claim);
        if (error == Errno.None && !block)
        {
            error = claim!.Lock(LibC.F_WRLCK) == Errno.None ? Errno.None : Errno.EBUSY;
        }

        if (error == Errno.None)
        {
            return claim!;
        }

        claim?.Dispose();
        throw error == Errno.EBUSY
            ? new DmException(error, $"'{path}' is {(block ? DeviceUsers.OfBlockDevice(status.Device) : DeviceUsers.OfFile(status.FileSystem, status.Inode))}")
            : OpenErrors.Refusal(error, path);
    }

    /// <summary>Bytes of a file or block device.</summary>
    /// <exception cref="DmException">It is not there.</exception>
    public static ulong SizeOf(string path)
    {
        if (FileStatus.TryGet(path, out FileStatus status) is not Errno.None and Errno errno)
        {
            throw new DmException(errno, $"'{path}' cannot be looked at");
        }

        return status.Kind == FileKind.BlockDevice
            ? ulong.Parse(File.ReadAllText($"/sys/dev/block/{status.Device}/size"), CultureInfo.InvariantCulture) * Sector.Size
            : status.Size;
    }

    /// <summary>Whether two paths are of one file or device.</summary>
    public static bool AreSame(string one, string other) =>
        FileStatus.TryGet(one, out FileStatus first) == Errno.None
        && FileStatus.TryGet(other, out FileStatus second) == Errno.None
        && (first.Kind == FileKind.BlockDevice
            ? second.Kind == FileKind.BlockDevice && first.Device == second.Device
            : first.FileSystem == second.FileSystem && first.Inode == second.Inode);

    /// <summary>Refuses to overwrite what is there. What lies behind the end counts as zeroes.</summary>
    /// <exception cref="DmException">EEXIST: something does.</exception>
    public static void RequireZeroes(FileStream stream, string path, ulong start, ulong length)
    {
        byte[] piece = new byte[Math.Min(Piece, length)];
        stream.Position = (long)start;
        for (ulong offset = 0; offset < length;)
        {
            int read = stream.ReadAtLeast(piece.AsSpan(0, (int)Math.Min(Piece, length - offset)), 1, throwOnEndOfStream: false);
            int at = piece.AsSpan(0, read).IndexOfAnyExcept((byte)0);
            if (at >= 0)
            {
                throw new DmException(
                    Errno.EEXIST, $"'{path}' is not blank: its byte {start + offset + (ulong)at} is not zero, and would be overwritten; --force does so");
            }

            if (read == 0)
            {
                return;
            }

            offset += (ulong)read;
        }
    }

    /// <summary>Writes bytes.</summary>
    public static void WriteAt(FileStream stream, ulong offset, ReadOnlySpan<byte> bytes)
    {
        stream.Position = (long)offset;
        stream.Write(bytes);
    }
}
