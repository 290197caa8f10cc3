using DeviceMapper.Fuse.Protocol;

namespace DeviceMapper.Fuse.Operations;

/// <summary>
/// RELEASE: the last descriptor of an open is closed. It comes after close(2) has returned; see <see cref="FuseMount.Settle"/>.
/// </summary>
internal static class ReleaseOperation
{
    public static void Handle(FuseServer server, in FuseRequest request)
    {
        server.Directory.FindByNode(request.Header.NodeId)?.Release();
        server.Connection.Reply(request.Unique);
    }
}
