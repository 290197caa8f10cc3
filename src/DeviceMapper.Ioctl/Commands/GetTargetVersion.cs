using DeviceMapper.Native;
using DeviceMapper.Targets;

namespace DeviceMapper.Ioctl.Commands;

/// <summary>DM_GET_TARGET_VERSION: one target type, by its name.</summary>
internal static class GetTargetVersion
{
    public static void Run(ControlCall call)
    {
        string name = call.Ioctl.Name;
        TargetType type = call.Registry.FindTargetType(name)
            ?? throw new DmException(Errno.EINVAL, $"'{name}' is not a target type that udm knows");
        TargetVersions.Write(call.Ioctl, call.Size, [type]);
    }
}
