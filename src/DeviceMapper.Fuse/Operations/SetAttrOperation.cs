using DeviceMapper.Fuse.Protocol;
using DeviceMapper.Native;

namespace DeviceMapper.Fuse.Operations;

/// <summary>SETATTR: chmod, chown, truncate, utimes.</summary>
/// <remarks>
/// Owner and permissions of a file can be chosen, as those of a device's node; the kernel checks who may
/// (<c>default_permissions</c>). Times are not kept. A size is accepted and ignored, as block devices do with O_TRUNC:
/// what dd, cp and mkfs do to an output file before they write it succeeds, and the device keeps its size. (A block device
/// refuses ftruncate(2), but programs know it for one, and do not call it; here they see a regular file.)
/// </remarks>
internal static class SetAttrOperation
{
    private const uint ModeValid = 1, UserValid = 2, GroupValid = 4;

    public static void Handle(FuseServer server, in FuseRequest request)
    {
        if (!request.TryRead(out FuseSetAttrIn wanted))
        {
            server.Connection.Refuse(request.Unique, Errno.EINVAL);
            return;
        }

        if (request.Header.NodeId == FuseDirectory.RootNode)
        {
            server.Connection.Refuse(request.Unique, Errno.EPERM);
            return;
        }

        if (server.Directory.FindByNode(request.Header.NodeId) is not { } file)
        {
            server.Connection.Refuse(request.Unique, Errno.ESTALE);
            return;
        }

        if ((wanted.Valid & ModeValid) != 0)
        {
            file.Permissions = wanted.Mode;
        }

        if ((wanted.Valid & UserValid) != 0)
        {
            file.User = wanted.User;
        }

        if ((wanted.Valid & GroupValid) != 0)
        {
            file.Group = wanted.Group;
        }

        server.Connection.Reply(request.Unique, new FuseAttrOut { Attr = file.Attributes() });
    }
}
