using DeviceMapper.Fuse.Protocol;

namespace DeviceMapper.Fuse.Operations;

/// <summary>STATFS: a file system that has no room of its own, as the one of /dev.</summary>
internal static class StatFsOperation
{
    public static void Handle(FuseServer server, in FuseRequest request) =>
        server.Connection.Reply(request.Unique, new FuseStatFsOut { BlockSize = 4096, FragmentSize = 4096, NameLength = 255 });
}
