using DeviceMapper.Mapping;

namespace DeviceMapper.Ioctl.Commands;

/// <summary>DM_TABLE_CLEAR: destroys the inactive table.</summary>
internal static class TableClear
{
    public static void Run(ControlCall call)
    {
        MappedDevice device = call.Find();
        device.ClearTable();
        call.WriteStatus(device);
    }
}
