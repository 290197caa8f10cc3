using DeviceMapper;
using DeviceMapper.Io;
using DeviceMapper.Ioctl;
using DeviceMapper.Mapping;
using DeviceMapper.Mapping.Checking;
using DeviceMapper.Native;

namespace Udm.Verbs;

/// <summary>The daemon's devices, by what tables and names may mean.</summary>
internal sealed class DaemonDevices : IKnownDevices
{
    private readonly DeviceClient _devices;

    private DaemonDevices(DeviceClient devices) => _devices = devices;

    /// <summary>Those of the daemon; null where none answers.</summary>
    public static DaemonDevices? Of(VerbContext context)
    {
        try
        {
            return new DaemonDevices(context.Devices);
        }
        catch (DmException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public KnownDevice? FindByName(string name) => Find(new DeviceSelector(name, Name: name));

    /// <inheritdoc/>
    public KnownDevice? FindByUuid(string uuid) => Find(new DeviceSelector(uuid, Uuid: uuid));

    /// <inheritdoc/>
    public KnownDevice? FindByMinor(uint minor) =>
        _devices.List() is [{ Number.Major: var major }, ..] ? Find(DeviceSelector.ByNumber(new DeviceNumber(major, minor))) : null;

    private KnownDevice? Find(DeviceSelector device)
    {
        try
        {
            (DeviceInfo info, IReadOnlyList<TargetText> targets) = _devices.Targets(device, DmFlags.StatusTable);
            ulong size = targets.Count == 0 ? 0 : targets[^1].Start.Value + targets[^1].Length.Value;
            return new KnownDevice(info.DaemonName, info.DaemonUuid, info.Number.Minor, new SectorCount(size));
        }
        catch (DmException refusal) when (refusal.Errno is Errno.ENXIO or Errno.EINVAL or Errno.ENAMETOOLONG)
        {
            return null;
        }
    }
}
