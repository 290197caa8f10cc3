using System.Runtime.CompilerServices;
using DeviceMapper.Backends;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Snapshots;

/// <summary>The origins of a registry, by device: whoever writes to one through the device mapper finds its snapshots here.</summary>
internal sealed class Origins
{
    private static readonly ConditionalWeakTable<DeviceRegistry, Origins> _ofRegistries = [];

    private readonly Dictionary<DeviceIdentity, Origin> _origins = [];

    /// <summary>Guards which targets there are of an origin, and handovers among them.</summary>
    public Lock Lock { get; } = new();

    /// <summary>Those of a registry.</summary>
    public static Origins Of(DeviceRegistry registry) => _ofRegistries.GetValue(registry, static _ => new Origins());

    /// <summary>The origin that is a device; <see cref="Put"/> it.</summary>
    public Origin Get(DeviceReference device)
    {
        DeviceIdentity identity = device.TableDevice.Identity;
        lock (Lock)
        {
            if (!_origins.TryGetValue(identity, out Origin? origin))
            {
                origin = new Origin(this, identity);
                _origins.Add(identity, origin);
            }

            origin.Users++;
            return origin;
        }
    }

    /// <summary>A target no longer uses it.</summary>
    public void Put(Origin origin)
    {
        lock (Lock)
        {
            if (--origin.Users == 0)
            {
                _origins.Remove(origin.Identity);
            }
        }
    }
}
