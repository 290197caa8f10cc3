using DeviceMapper.Fuse.Protocol;
using DeviceMapper.Native;

namespace DeviceMapper.Fuse.Operations;

/// <summary>
/// OPEN: the device cannot be removed until RELEASE. A read-only device can be opened for writing by who may, as a
/// block device can; its writes fail.
/// </summary>
internal static class OpenOperation
{
    // Reads and writes come here as they are made, without the page cache, and several writes at once.
    private const uint DirectIo = 1 << 0, ParallelDirectWrites = 1 << 6;

    public static void Handle(FuseServer server, in FuseRequest request)
    {
        if (server.Directory.FindByNode(request.Header.NodeId) is not { } file)
        {
            server.Connection.Refuse(request.Unique, Errno.ESTALE);
            return;
        }

        file.Open();
        server.Connection.Reply(request.Unique, new FuseOpenOut { OpenFlags = DirectIo | ParallelDirectWrites });
    }
}
