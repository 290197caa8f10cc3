using DeviceMapper.Backends;
using DeviceMapper.Native;
using Microsoft.Extensions.Logging;

namespace DeviceMapper.Mapping;

/// <summary>
/// The table devices of one mapped device. Its active and its inactive table share them, by device and mode, with reference
/// counts: a reload opens only what is new, a swap closes only what nobody uses any more, and a table may name a
/// device that is dead now but that the mapped device already holds.
/// </summary>
/// <remarks>
/// The kernel's <c>md-&gt;table_devices</c> (drivers/md/dm.c: <c>dm_get_table_device</c>, <c>dm_put_table_device</c>). Unlike there an
/// open may take seconds (a server that does not answer), so it happens outside the lock; see <see cref="SharedOpens{TKey, TValue}"/>.
/// </remarks>
internal sealed class TableDevices(MappedDevice owner, Claims claims, Holders holders, TimeSpan openTimeout, TimeProvider time, ILogger logger)
{
    private readonly SharedOpens<(DeviceIdentity Identity, DeviceMode Mode), TableDevice> _devices = new();

    /// <summary>The table devices that are open, with their references.</summary>
    public IReadOnlyList<(TableDevice Device, int References)> Snapshot() =>
        [.. _devices.Snapshot().Select(d => (d.Value, d.References))];

    /// <summary>
    /// Gets the table device of a device and a mode: the one that is there gains a reference; else it is claimed, opened,
    /// and linked as held by the mapped device.
    /// </summary>
    /// <returns>The table device, and a warning where it is shared and cannot take an option that the table's word carries.</returns>
    /// <exception cref="DmException">
    /// The claim, open or link that failed; nothing is left behind. EINTR: the caller went away. ETIMEDOUT: the open took too long.
    /// </exception>
    public (TableDevice Device, string? Warning) Get(DeviceSpec spec, DeviceMode mode, CancellationToken cancellation)
    {
        (TableDevice device, bool opened) = _devices.Get((spec.Identity, mode), () => Open(spec, mode, cancellation), cancellation);
        return (device, opened ? null : spec.ApplyOptions(device.Backend));
    }

    /// <summary>Drops a reference; with the last one the device is unlinked, closed and forgotten.</summary>
    public void Put(TableDevice device) => _devices.Put((device.Identity, device.Mode), Close);

    /// <summary>Closes what is left when the mapped device is destroyed. Anything left is a bug: it is logged with its count.</summary>
    public void CloseLeftovers()
    {
        foreach ((TableDevice device, int references) in Snapshot())
        {
            logger.TableDeviceLeft(owner.Name, device.Name, device.Mode, references);
            for (int i = 0; i < references; i++)
            {
                Put(device);
            }
        }
    }

    private TableDevice Open(DeviceSpec spec, DeviceMode mode, CancellationToken cancellation)
    {
        using BoundedOpen bounded = new(openTimeout, time, cancellation);
        Claim? claim = null;
        Backend? backend = null;
        try
        {
            claim = bounded.Run(spec, token => claims.Take(spec, token), claims.Drop);
            backend = bounded.Run(spec, token => spec.Open(mode, token), late => late.Dispose());
            TableDevice device = new(spec.Identity, mode, spec.Name, claim, backend);
            holders.Link(spec.Identity, owner);
            return device;
        }
        catch (Exception e)
        {
            Release(claim, backend);
            if (e is OutOfMemoryException)
            {
                throw new DmException(Errno.ENOMEM, $"'{spec.Name}': no memory is left to open it", e);
            }

            throw;
        }
    }

    private void Release(Claim? claim, Backend? backend)
    {
        try
        {
            backend?.Dispose();
        }
        finally
        {
            if (claim is not null)
            {
                claims.Drop(claim);
            }
        }
    }

    private void Close(TableDevice device)
    {
        holders.Unlink(device.Identity, owner);
        Release(device.Claim, device.Backend);
    }
}
