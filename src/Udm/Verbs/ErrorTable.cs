using DeviceMapper;
using DeviceMapper.Io;
using DeviceMapper.Ioctl;
using DeviceMapper.Mapping;

namespace Udm.Verbs;

/// <summary>Replaces a device's live table by one error target of the same size: <c>--force</c>.</summary>
internal static class ErrorTable
{
    /// <summary>Replaces it. A device without a live table is left alone.</summary>
    /// <returns>Whether it was replaced.</returns>
    /// <exception cref="DmException">The daemon refuses.</exception>
    public static bool Replace(VerbContext context, DeviceSelector device)
    {
        ulong size = 0;
        foreach (TargetText target in context.Devices.Targets(device, context.Flags | DmFlags.StatusTable).Targets)
        {
            size += target.Length.Value;
        }

        if (size == 0)
        {
            return false;
        }

        DmFlags mode = context.Options.Has(Option.ReadOnly) ? DmFlags.ReadOnly : 0;
        context.Devices.Load(device, [new TableLine(new Sector(0), new SectorCount(size), "error", "")], context.Flags | mode);
        try
        {
            // By force: does not wait for I/O that will not end.
            DmFlags forced = context.Options.Has(Option.Force) ? DmFlags.NoFlush | DmFlags.SkipLockFs : DmFlags.None;
            context.Devices.Resume(device, context.Flags | forced);
            return true;
        }
        catch (DmException)
        {
            context.Devices.Clear(device, context.Flags);
            throw;
        }
    }
}
