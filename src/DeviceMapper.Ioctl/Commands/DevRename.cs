using System.Text;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Ioctl.Commands;

/// <summary>DM_DEV_RENAME: gives a device a new name, or a uuid to one without.</summary>
internal static class DevRename
{
    public static void Run(ControlCall call)
    {
        bool uuid = call.Ioctl.Has(DmFlags.Uuid);
        string text = call.Text(uuid ? "new uuid" : "new name");
        if (text.Length == 0)
        {
            throw new DmException(Errno.EINVAL, $"the new {(uuid ? "uuid" : "name")} is empty");
        }

        int longest = uuid ? DmIoctl.MaxUuidLength : DmIoctl.MaxNameLength;
        if (Encoding.UTF8.GetByteCount(text) > longest)
        {
            throw new DmException(Errno.EINVAL, $"the new {(uuid ? "uuid" : "name")} is longer than {longest} bytes");
        }

        if (!uuid)
        {
            DeviceRegistry.CheckName(text);
        }

        // The kernel finds the device by its name alone, and only after it has looked whether the new text is taken.
        string name = call.Ioctl.Name;
        MappedDevice? device = call.Registry.FindByName(name);
        if (device is null)
        {
            bool taken = (uuid ? call.Registry.FindByUuid(text) : call.Registry.FindByName(text)) is not null;
            throw taken
                ? new DmException(Errno.EBUSY, $"the {(uuid ? "uuid" : "name")} '{text}' is taken")
                : new DmException(Errno.ENXIO, $"there is no mapped device '{name}'");
        }

        if (uuid)
        {
            call.Registry.SetUuid(device, text);
        }
        else
        {
            call.Registry.Rename(device, text);
        }

        // Alone of all that tell a status it does not look whether there is an inactive table.
        DmFlags given = call.Ioctl.Flags & DmFlags.InactivePresent;
        call.WriteStatus(device);
        call.Ioctl.Flags = (call.Ioctl.Flags & ~DmFlags.InactivePresent) | given;
    }
}
