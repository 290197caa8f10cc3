using DeviceMapper.Fuse.Protocol;
using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Fuse.Operations;

/// <summary>LSEEK: SEEK_DATA and SEEK_HOLE; the kernel does the other kinds itself. The device's end is a hole.</summary>
internal static class LseekOperation
{
    private const uint SeekData = 3, SeekHole = 4;

    public static void Handle(FuseServer server, in FuseRequest request)
    {
        if (!request.TryRead(out FuseLseekIn seek) || seek.Whence is not (SeekData or SeekHole))
        {
            server.Connection.Refuse(request.Unique, Errno.EINVAL);
            return;
        }

        if (server.Directory.FindByNode(request.Header.NodeId) is not { } file)
        {
            server.Connection.Refuse(request.Unique, Errno.ESTALE);
            return;
        }

        if (seek.Offset >= file.Size)
        {
            server.Connection.Refuse(request.Unique, Errno.ENXIO);
            return;
        }

        Sector sector = Sector.FromBytes(seek.Offset);
        Sector end = Sector.FromBytes(file.Size);
        while (sector < end)
        {
            (SectorCount length, bool hole) = file.ExtentAt(sector, end - sector);
            if (hole == (seek.Whence == SeekHole))
            {
                server.Connection.Reply(request.Unique, Math.Max(sector.Bytes, seek.Offset));
                return;
            }

            sector += length;
        }

        if (seek.Whence == SeekData)
        {
            server.Connection.Refuse(request.Unique, Errno.ENXIO);
        }
        else
        {
            server.Connection.Reply(request.Unique, end.Bytes);
        }
    }
}
