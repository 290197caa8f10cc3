using System.Runtime.InteropServices;
using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Ioctl;

/// <summary>A table device in a list.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Name">As table lines name it; null if <see cref="DmFlags.DependencyNames"/> was not given.</param>
/// <param name="Mode">How it is open; null if <see cref="DmFlags.DependencyNames"/> was not given.</param>
public readonly record struct ListedDependency(DeviceNumber Number, string? Name, DeviceMode? Mode);

/// <summary><c>struct dm_target_deps</c>: the answer of <see cref="DmCommand.TableDeps"/>.</summary>
/// <remarks>With <see cref="DmFlags.DependencyNames"/> a letter (r, w) and a name, NUL-terminated, follow for each number. The kernel has no such thing.</remarks>
public static class TargetDependencies
{
    // count u32, padding u32, dev[] u64
    private const int NumbersOffset = 8;

    /// <summary>Writes a list. What does not fit sets <see cref="DmFlags.BufferFull"/>.</summary>
    internal static void Write(DmIoctl ioctl, int size, IReadOnlyList<Dependency> devices, bool names)
    {
        ResultBuffer result = new(ioctl, size);
        int length = NumbersOffset + 8 * devices.Count + (names ? devices.Sum(d => 2 + Encoding.UTF8.GetByteCount(d.Name)) : 0);
        if (!result.Fits(0, length))
        {
            return;
        }

        Span<byte> bytes = result.Bytes[..length];
        bytes.Clear();
        int count = devices.Count;
        MemoryMarshal.Write(bytes, in count);
        int at = NumbersOffset;
        foreach (Dependency device in devices)
        {
            ulong number = device.Number.Encoded;
            MemoryMarshal.Write(bytes[at..], in number);
            at += 8;
        }

        if (names)
        {
            foreach (Dependency device in devices)
            {
                bytes[at++] = device.Mode == DeviceMode.ReadOnly ? (byte)'r' : (byte)'w';
                at += NullTerminated.Write(bytes[at..], device.Name);
            }
        }

        result.End(length);
    }

    /// <summary>Reads a list; empty where the device has no table.</summary>
    /// <exception cref="DmException">EBADMSG: it is not as the interface has it.</exception>
    public static IReadOnlyList<ListedDependency> Read(DmIoctl ioctl)
    {
        ReadOnlySpan<byte> data = ResultBuffer.Of(ioctl);
        if (data.IsEmpty)
        {
            return [];
        }

        uint count = data.Length < NumbersOffset ? uint.MaxValue : MemoryMarshal.Read<uint>(data);
        if (count > (uint)(data.Length - NumbersOffset) / 8)
        {
            throw ResultBuffer.Malformed("devices lie outside of it");
        }

        ReadOnlySpan<byte> names = data[(NumbersOffset + 8 * (int)count)..];
        List<ListedDependency> devices = [];
        for (int i = 0; i < count; i++)
        {
            DeviceNumber number = DeviceNumber.Decode(MemoryMarshal.Read<ulong>(data[(NumbersOffset + 8 * i)..]));
            if (names.IsEmpty)
            {
                devices.Add(new ListedDependency(number, null, null));
                continue;
            }

            string name = ResultBuffer.Text(names[1..]);
            devices.Add(new ListedDependency(number, name, names[0] == 'r' ? DeviceMode.ReadOnly : DeviceMode.ReadWrite));
            names = names[(2 + Encoding.UTF8.GetByteCount(name))..];
        }

        return devices;
    }
}
