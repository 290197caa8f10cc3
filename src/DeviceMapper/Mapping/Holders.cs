using DeviceMapper.Backends;

namespace DeviceMapper.Mapping;

/// <summary>Which mapped devices hold which devices: the kernel's <c>holders</c> links in /sys.</summary>
internal sealed class Holders
{
    private readonly Lock _lock = new();
    private readonly Dictionary<DeviceIdentity, List<MappedDevice>> _holders = [];

    /// <summary>Links a device as held. A device held in both modes is linked twice.</summary>
    public void Link(DeviceIdentity identity, MappedDevice holder)
    {
        lock (_lock)
        {
            if (!_holders.TryGetValue(identity, out List<MappedDevice>? list))
            {
                _holders.Add(identity, list = []);
            }

            list.Add(holder);
        }
    }

    /// <summary>Undoes one <see cref="Link"/>.</summary>
    public void Unlink(DeviceIdentity identity, MappedDevice holder)
    {
        lock (_lock)
        {
            List<MappedDevice> list = _holders[identity];
            list.Remove(holder);
            if (list.Count == 0)
            {
                _holders.Remove(identity);
            }
        }
    }

    /// <summary>Who holds a device, each once.</summary>
    public IReadOnlyList<MappedDevice> Of(DeviceIdentity identity)
    {
        lock (_lock)
        {
            return _holders.TryGetValue(identity, out List<MappedDevice>? list) ? [.. list.Distinct()] : [];
        }
    }
}
