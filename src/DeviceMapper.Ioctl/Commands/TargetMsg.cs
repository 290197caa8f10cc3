using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Ioctl.Commands;

/// <summary>DM_TARGET_MSG: a message for a target, or for the device.</summary>
internal static class TargetMsg
{
    public static void Run(ControlCall call)
    {
        MappedDevice device = call.Find();
        using PassedKeys keys = new();
        (Sector sector, string message) = TargetMessage.Read(call.Ioctl, call.Size, keys);
        string? answer = device.Message(sector, message, TargetMessage.RoomForAnswer(call.Size));
        call.WriteStatus(device);
        if (answer is not null)
        {
            TargetMessage.WriteAnswer(call.Ioctl, call.Size, answer);
        }
    }
}
