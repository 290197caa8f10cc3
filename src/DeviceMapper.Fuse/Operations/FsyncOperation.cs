using DeviceMapper.Fuse.Protocol;
using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Fuse.Operations;

/// <summary>FSYNC, of fsync(2) and fdatasync(2) alike: a flush.</summary>
internal sealed class FsyncOperation : IBioCompletion
{
    private readonly FuseServer _server;
    private readonly ulong _unique;

    private FsyncOperation(FuseServer server, ulong unique)
    {
        _server = server;
        _unique = unique;
    }

    public static void Handle(FuseServer server, in FuseRequest request)
    {
        if (server.Directory.FindByNode(request.Header.NodeId) is not { } file)
        {
            server.Connection.Refuse(request.Unique, Errno.ESTALE);
            return;
        }

        Bio bio = Bio.Rent();
        bio.Operation = BioOperation.Flush;
        bio.Sector = default;
        bio.Count = SectorCount.Zero;
        bio.Buffer = default;
        bio.Device = file.Device;
        bio.Submit(new FsyncOperation(server, request.Unique));
    }

    public void BioEnded(Bio bio)
    {
        Errno errno = bio.Status.ToErrno();
        bio.Return();
        _server.Connection.Refuse(_unique, errno);
    }
}
