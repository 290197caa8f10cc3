using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Ioctl.Commands;

/// <summary>One ioctl while it is carried out: the request's buffer becomes the answer's.</summary>
/// <param name="Registry">The devices.</param>
/// <param name="Session">Who calls.</param>
/// <param name="Ioctl">The struct and its payload.</param>
/// <param name="Size">How many bytes of it the caller gave, and has room for.</param>
/// <param name="Cancellation">The caller has gone away.</param>
internal sealed record ControlCall(DeviceRegistry Registry, ControlSession Session, DmIoctl Ioctl, int Size, CancellationToken Cancellation)
{
    /// <summary>Sentences for the caller.</summary>
    public List<string> Warnings { get; } = [];

    /// <summary>
    /// The device that the request names by exactly one of uuid, name and number. Its name and uuid are written back
    /// (the kernel's <c>__find_device_hash_cell</c>).
    /// </summary>
    /// <exception cref="DmException">ENXIO: there is none, or more than one thing is given.</exception>
    public MappedDevice Find()
    {
        MappedDevice device = Session.WaitsFor = Look();
        Ioctl.Name = device.Name;
        Ioctl.Uuid = device.Uuid;
        return device;
    }

    /// <summary>Fills in what the kernel's <c>__dev_status</c> does.</summary>
    public void WriteStatus(MappedDevice device)
    {
        const DmFlags Told = DmFlags.Suspend | DmFlags.ReadOnly | DmFlags.ActivePresent | DmFlags.InactivePresent
            | DmFlags.InternalSuspend;
        DeviceStatus status = device.Status(Ioctl.Has(DmFlags.QueryInactiveTable));
        Ioctl.Flags = (Ioctl.Flags & ~Told)
            | (status.Suspended ? DmFlags.Suspend : 0)
            | (status.ReadOnly ? DmFlags.ReadOnly : 0)
            | (status.ActivePresent ? DmFlags.ActivePresent : 0)
            | (status.InactivePresent ? DmFlags.InactivePresent : 0)
            | (status.DeferredRemove ? DmFlags.DeferredRemove : 0);
        Ioctl.Device = status.Number;
        Ioctl.OpenCount = status.OpenCount;
        Ioctl.EventNumber = status.EventNumber;
        Ioctl.TargetCount = (uint)status.TargetCount;
        if (Ioctl.Has(DmFlags.TellReadAhead))
        {
            Ioctl.ReadAhead = status.ReadAhead;
        }
    }

    /// <summary>The string at <see cref="DmIoctl.DataStart"/>, which must end within what the caller gave.</summary>
    /// <param name="what">What it is, for the sentence.</param>
    /// <exception cref="DmException">EINVAL.</exception>
    public string Text(string what)
    {
        uint start = Ioctl.DataStart;
        ReadOnlySpan<byte> bytes = start < DmIoctl.FixedSize || start >= (uint)Size ? [] : Ioctl.Bytes[(int)start..Size];
        return bytes.Contains((byte)0)
            ? NullTerminated.Read(bytes, what)
            : throw new DmException(Errno.EINVAL, $"the {what} lies outside of the buffer, or does not end in it");
    }

    private MappedDevice Look()
    {
        string uuid = Ioctl.Uuid;
        string name = Ioctl.Name;
        int given = (uuid.Length > 0 ? 1 : 0) + (name.Length > 0 ? 1 : 0) + (Ioctl.Dev != 0 ? 1 : 0);
        if (given > 1)
        {
            throw new DmException(Errno.ENXIO, "more than one of name, uuid and number is given");
        }

        if (uuid.Length > 0)
        {
            return Registry.FindByUuid(uuid) ?? throw new DmException(Errno.ENXIO, $"no mapped device has the uuid '{uuid}'");
        }

        if (name.Length > 0)
        {
            return Registry.FindByName(name) ?? throw new DmException(Errno.ENXIO, $"there is no mapped device '{name}'");
        }

        DeviceNumber number = Ioctl.Device;
        return Registry.FindByNumber(number) ?? throw new DmException(Errno.ENXIO, $"no mapped device has the number {number}");
    }
}
