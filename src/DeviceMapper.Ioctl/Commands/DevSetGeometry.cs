using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Targets;

namespace DeviceMapper.Ioctl.Commands;

/// <summary>DM_DEV_SET_GEOMETRY: cylinders, heads, sectors and start, as <c>HDIO_GETGEO</c> tells them.</summary>
internal static class DevSetGeometry
{
    public static void Run(ControlCall call)
    {
        MappedDevice device = call.Find();
        string text = call.Text("geometry");
        string[] words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        ulong[] numbers = new ulong[4];
        if (words.Length != numbers.Length || char.IsWhiteSpace(text[^1]))
        {
            // the kernel's "%lu %lu %lu %lu%c": nothing may follow, not even a blank
            throw new DmException(Errno.EINVAL, $"geometry: '{text}' is not 'cylinders heads sectors start'");
        }

        for (int i = 0; i < numbers.Length; i++)
        {
            if (!KernelNumber.TryScan(words[i], out numbers[i]))
            {
                throw new DmException(Errno.EINVAL, $"geometry: '{words[i]}' is not a number");
            }
        }

        device.SetGeometry(new DiskGeometry(numbers[0], numbers[1], numbers[2], numbers[3]));
        call.Ioctl.DataSize = 0; // nothing is told
    }
}
