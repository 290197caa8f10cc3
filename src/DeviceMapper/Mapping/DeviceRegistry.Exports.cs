namespace DeviceMapper.Mapping;

/// <content>Its front ends. A front end that fails is logged, and does not keep a device from being made or removed.</content>
public sealed partial class DeviceRegistry
{
    private readonly object _exporting = new(); // a front end is added, or told of a change: never both
    private IDeviceExport[] _exports = [];

    /// <summary>Adds a front end; it hears of the devices that are already there at once.</summary>
    public void AddExport(IDeviceExport export)
    {
        lock (_exporting)
        {
            _exports = [.. _exports, export];
        }

        foreach (MappedDevice device in Devices.Where(d => d.HasAppeared))
        {
            Notify(device, e => e.Appeared(device));
        }
    }

    /// <summary>Takes a front end away.</summary>
    public void RemoveExport(IDeviceExport export)
    {
        lock (_exporting)
        {
            _exports = [.. _exports.Where(e => e != export)];
        }
    }

    internal void NotifyResumed(MappedDevice device, bool changed, bool firstTime)
    {
        if (firstTime)
        {
            Notify(device, e => e.Appeared(device));
        }
        else if (changed)
        {
            Notify(device, e => e.Changed(device));
        }
    }

    private void NotifyRenamed(MappedDevice device, string oldName)
    {
        if (device.HasAppeared)
        {
            Notify(device, e => e.Renamed(device, oldName));
        }
    }

    private void NotifyVanished(MappedDevice device)
    {
        if (device.HasAppeared)
        {
            Notify(device, e => e.Vanished(device));
        }
    }

    private void SettleExports()
    {
        foreach (IDeviceExport export in _exports)
        {
            export.Settle();
        }
    }

    private void Notify(MappedDevice device, Action<IDeviceExport> tell)
    {
        foreach (IDeviceExport export in _exports)
        {
            try
            {
                tell(export);
            }
            catch (Exception e)
            {
                Logger.ExportFailed(device.Name, e);
            }
        }
    }
}
