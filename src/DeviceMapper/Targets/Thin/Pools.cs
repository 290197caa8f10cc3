using System.Runtime.CompilerServices;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Thin;

/// <summary>The pools of a registry: each belongs to a mapped device, whose tables share it, and in which volumes find it.</summary>
internal sealed class Pools
{
    private static readonly ConditionalWeakTable<DeviceRegistry, Pools> _ofRegistries = [];

    private readonly Lock _lock = new();
    private readonly List<ThinPool> _pools = [];

    /// <summary>Those of a registry.</summary>
    public static Pools Of(DeviceRegistry registry) => _ofRegistries.GetValue(registry, static _ => new Pools());

    /// <summary>The pool of a mapped device; <see cref="Put"/> it. Null where it has none.</summary>
    public ThinPool? Find(MappedDevice device)
    {
        lock (_lock)
        {
            ThinPool? pool = _pools.Find(p => p.Owner == device);
            if (pool is not null)
            {
                pool.Users++;
            }

            return pool;
        }
    }

    /// <summary>The pool on two devices: that of the mapped device's other table, or a new one (the kernel's <c>__pool_find</c>). Waits.</summary>
    /// <exception cref="DmException">EBUSY: another pool uses one of the devices; EINVAL: the mapped device has a pool on others; what the metadata gives.</exception>
    public ThinPool Get(TargetArguments arguments, DeviceReference metadata, DeviceReference data, uint blockSize, PoolFeatures features, out bool created)
    {
        MappedDevice owner = arguments.Table.Owner;
        string type = arguments.Type.Name;
        created = false;
        lock (_lock)
        {
            ThinPool? pool = _pools.Find(p => p.MetadataIdentity == metadata.TableDevice.Identity);
            if (pool is not null && pool.Owner != owner)
            {
                throw new DmException(Errno.EBUSY, $"{type}: argument 1 (metadata device): '{metadata.Name}' is in use by the pool '{pool.Owner.Name}'");
            }

            if (pool is not null && pool.DataIdentity != data.TableDevice.Identity)
            {
                throw new DmException(Errno.EBUSY, $"{type}: argument 2 (data device): the pool has another one; a table cannot change that");
            }

            if (pool is null && _pools.Exists(p => p.Owner == owner))
            {
                throw new DmException(Errno.EINVAL, $"{type}: argument 1 (metadata device): the pool has another one; a table cannot change that");
            }

            if (pool is null)
            {
                pool = new ThinPool(owner, metadata, data, blockSize, features);
                _pools.Add(pool);
                created = true;
            }

            pool.Users++;
            return pool;
        }
    }

    /// <summary>A target no longer uses it; the last one ends it.</summary>
    public void Put(ThinPool pool)
    {
        lock (_lock)
        {
            if (--pool.Users > 0)
            {
                return;
            }

            _pools.Remove(pool);
        }

        pool.Dispose();
    }
}
