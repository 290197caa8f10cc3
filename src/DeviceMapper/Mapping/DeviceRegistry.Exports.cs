using DeviceMapper.Native;

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

    /// <summary>Has all front ends freeze what stands on a device; all, or none.</summary>
    internal void Freeze(MappedDevice device)
    {
        try
        {
            foreach (IDeviceExport export in _exports)
            {
                export.Freeze(device);
            }
        }
        catch
        {
            Thaw(device);
            throw;
        }
    }

    internal void Thaw(MappedDevice device) => Notify(device, e => e.Thaw(device));

    internal bool IsInUse(MappedDevice device)
    {
        foreach (IDeviceExport export in _exports)
        {
            if (export.IsInUse(device))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// <see cref="MappedDevice.LockForRemoval"/>, and the front ends' agreement: they have let go of it when this returns null. Those of
    /// a device that was aborted are not asked.
    /// </summary>
    private Errno? LockForRemoval(MappedDevice device, bool deferred, bool onlyMarked = false)
    {
        Errno? refusal = device.LockForRemoval(deferred, onlyMarked);
        bool whenUnused = deferred || onlyMarked || device.IsAborted;
        if (refusal is not null || LetGo(device, whenUnused) || device.IsAborted)
        {
            return refusal;
        }

        device.UnlockForRemoval(deferred);
        if (whenUnused && device.HandleCount == 0)
        {
            RemoveAfterLastClose(device); // the user has gone meanwhile
        }

        return Errno.EBUSY;
    }

    private bool LetGo(MappedDevice device, bool whenUnused)
    {
        bool all = true;
        Notify(device, e => all &= e.LetGo(device, whenUnused));
        return all;
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
