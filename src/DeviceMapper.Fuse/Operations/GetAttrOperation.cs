using DeviceMapper.Fuse.Protocol;
using DeviceMapper.Native;

namespace DeviceMapper.Fuse.Operations;

/// <summary>GETATTR: what stat(2) shows.</summary>
internal static class GetAttrOperation
{
    public static void Handle(FuseServer server, in FuseRequest request)
    {
        if (request.Header.NodeId == FuseDirectory.RootNode)
        {
            server.Connection.Reply(request.Unique, new FuseAttrOut { Attr = server.Directory.Attributes() });
        }
        else if (server.Directory.FindByNode(request.Header.NodeId) is { } file)
        {
            server.Connection.Reply(request.Unique, new FuseAttrOut { Attr = file.Attributes() });
        }
        else
        {
            server.Connection.Refuse(request.Unique, Errno.ESTALE);
        }
    }
}
