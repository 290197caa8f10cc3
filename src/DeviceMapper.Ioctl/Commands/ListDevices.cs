using DeviceMapper.Mapping;

namespace DeviceMapper.Ioctl.Commands;

/// <summary>DM_LIST_DEVICES: the devices whose names and uuids start with those that are given.</summary>
internal static class ListDevices
{
    public static void Run(ControlCall call)
    {
        string name = call.Ioctl.Name;
        string uuid = call.Ioctl.Uuid;
        bool uuids = call.Ioctl.Has(DmFlags.Uuid);
        List<ListedDevice> devices = [];
        foreach (MappedDevice device in call.Registry.Devices)
        {
            string itsName = device.Name;
            string itsUuid = device.Uuid;
            if (itsName.StartsWith(name, StringComparison.Ordinal) && itsUuid.StartsWith(uuid, StringComparison.Ordinal))
            {
                devices.Add(new ListedDevice(device.Number, itsName, device.EventNumber, uuids ? itsUuid : null));
            }
        }

        NameList.Write(call.Ioctl, call.Size, devices);
    }
}
