using DeviceMapper.Mapping;

namespace DeviceMapper.Ioctl.Commands;

/// <summary>DM_TABLE_STATUS: the status or the arguments of a table's targets.</summary>
internal static class TableStatus
{
    public static void Run(ControlCall call) => Write(call, call.Find());

    /// <summary>Writes the answer, which that of <see cref="DevWait"/> is too.</summary>
    public static void Write(ControlCall call, MappedDevice device)
    {
        DmIoctl ioctl = call.Ioctl;
        call.WriteStatus(device);
        bool inactive = ioctl.Has(DmFlags.QueryInactiveTable);
        if (!ioctl.Has(inactive ? DmFlags.InactivePresent : DmFlags.ActivePresent))
        {
            return;
        }

        bool arguments = ioctl.Has(DmFlags.StatusTable);
        IReadOnlyList<TargetText> texts = ioctl.Has(DmFlags.ImaMeasurement) && !arguments
            ? device.Measurements(inactive)
            : device.TableTexts(arguments, inactive, ioctl.Has(DmFlags.NoFlush));
        ioctl.TargetCount = (uint)texts.Count; // of this very list: the table may have been swapped since the status
        TargetSpecs.WriteStatus(ioctl, call.Size, texts);
    }
}
