using DeviceMapper.Fuse.Protocol;
using DeviceMapper.Native;

namespace DeviceMapper.Fuse.Operations;

/// <summary>LOOKUP: a name in the directory. The kernel may keep neither the name nor the attributes, nor that there is none.</summary>
internal static class LookupOperation
{
    public static void Handle(FuseServer server, in FuseRequest request)
    {
        if (request.Header.NodeId != FuseDirectory.RootNode)
        {
            server.Connection.Refuse(request.Unique, Errno.ENOTDIR);
            return;
        }

        if (!request.TryReadName(out string? name) || server.Directory.FindByName(name) is not { } file)
        {
            server.Connection.Refuse(request.Unique, Errno.ENOENT);
            return;
        }

        server.Connection.Reply(request.Unique, new FuseEntryOut { NodeId = file.NodeId, Generation = 1, Attr = file.Attributes() });
    }
}
