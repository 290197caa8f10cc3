using DeviceMapper.Mapping;

namespace DeviceMapper.Nbd.Server;

/// <summary>The devices that clients can use, by name.</summary>
internal sealed class ExportList
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, MappedDevice> _devices = new(StringComparer.Ordinal);

    /// <summary>All of them, by name in byte order.</summary>
    public IReadOnlyList<KeyValuePair<string, MappedDevice>> All
    {
        get
        {
            lock (_lock)
            {
                return [.. _devices];
            }
        }
    }

    public void Add(MappedDevice device)
    {
        lock (_lock)
        {
            _devices[device.Name] = device;
        }
    }

    public void Rename(MappedDevice device, string oldName)
    {
        lock (_lock)
        {
            Forget(oldName, device);
            _devices[device.Name] = device;
        }
    }

    public void Remove(MappedDevice device)
    {
        lock (_lock)
        {
            Forget(device.Name, device);
        }
    }

    /// <summary>Finds a device. The empty name is that of the only one, if there is just one.</summary>
    /// <returns>Its name and it; null if there is none.</returns>
    public KeyValuePair<string, MappedDevice>? Find(string name)
    {
        lock (_lock)
        {
            if (name.Length == 0)
            {
                return _devices.Count == 1 ? _devices.First() : null;
            }

            return _devices.TryGetValue(name, out MappedDevice? device) ? new(name, device) : null;
        }
    }

    private void Forget(string name, MappedDevice device)
    {
        // Names may have been exchanged meanwhile: the name may be another's by now.
        if (_devices.TryGetValue(name, out MappedDevice? named) && named == device)
        {
            _devices.Remove(name);
        }
    }
}
