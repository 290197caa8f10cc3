using DeviceMapper.Fuse.Protocol;
using DeviceMapper.Native;

namespace DeviceMapper.Fuse.Operations;

/// <summary>
/// IOCTL: the one that the device mapper itself adds to a device's own, <c>DM_MPATH_PROBE_PATHS</c> (include/uapi/linux/dm-ioctl.h since 6.16).
/// To a block device's (BLKGETSIZE64 ...) a regular file's answer: it has its size in stat.
/// </summary>
internal static class IoctlOperation
{
    private const uint ProbePaths = 0xfd12; // _IO(DM_IOCTL, 18)

    public static void Handle(FuseServer server, in FuseRequest request)
    {
        if (!request.TryRead(out FuseIoctlIn ioctl) || ioctl.Command != ProbePaths)
        {
            server.Connection.Refuse(request.Unique, Errno.ENOTTY);
        }
        else if (server.Directory.FindByNode(request.Header.NodeId) is not { } file)
        {
            server.Connection.Refuse(request.Unique, Errno.ESTALE);
        }
        else
        {
            ulong unique = request.Unique;
            Task.Run(() => Probe(server.Connection, unique, file)); // waits for reads, which a worker must not
        }
    }

    private static void Probe(FuseConnection connection, ulong unique, FuseFile file)
    {
        try
        {
            file.ProbePaths();
            connection.Reply(unique, new FuseIoctlOut());
        }
        catch (DmException e)
        {
            connection.Refuse(unique, e.Errno);
        }
    }
}
