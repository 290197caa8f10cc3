using DeviceMapper.Mapping;

namespace DeviceMapper.Ioctl.Commands;

/// <summary>DM_TABLE_LOAD: builds a table in the inactive slot.</summary>
internal static class TableLoad
{
    public static void Run(ControlCall call)
    {
        MappedDevice device = call.Find();
        using PassedKeys keys = new();
        List<TableLine> lines = TargetSpecs.ReadTable(call.Ioctl, call.Size, keys);
        DeviceMode mode = call.Ioctl.Has(DmFlags.ReadOnly) ? DeviceMode.ReadOnly : DeviceMode.ReadWrite;
        call.Warnings.AddRange(device.LoadTable(lines, mode, call.Cancellation));
        call.WriteStatus(device);
    }
}
