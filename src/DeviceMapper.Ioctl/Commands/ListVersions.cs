namespace DeviceMapper.Ioctl.Commands;

/// <summary>DM_LIST_VERSIONS: all target types.</summary>
internal static class ListVersions
{
    public static void Run(ControlCall call) => TargetVersions.Write(call.Ioctl, call.Size, call.Registry.TargetTypes);
}
