using System.Runtime.InteropServices;
using System.Text;
using DeviceMapper.Io;

namespace DeviceMapper.Ioctl;

/// <summary>A device in a list.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Name">Its name.</param>
/// <param name="EventNumber">Its count of events.</param>
/// <param name="Uuid">Its uuid, "" if it has none; null if <see cref="DmFlags.Uuid"/> was not given.</param>
public readonly record struct ListedDevice(DeviceNumber Number, string Name, uint EventNumber, string? Uuid);

/// <summary><c>struct dm_name_list</c>: the answer of <see cref="DmCommand.ListDevices"/>.</summary>
public static class NameList
{
    // dev u64, next u32, name NUL; aligned to 8: event_nr u32, flags u32, uuid NUL; aligned to 8.
    private const int NameOffset = 12;
    private const uint HasUuid = 1, HasNoUuid = 2;

    /// <summary>Writes a list; uuids are written where they are not null. What does not fit sets <see cref="DmFlags.BufferFull"/>.</summary>
    internal static void Write(DmIoctl ioctl, int size, IReadOnlyList<ListedDevice> devices)
    {
        ResultBuffer result = new(ioctl, size);
        if (devices.Count == 0 && !result.Fits(0, sizeof(ulong)))
        {
            return;
        }

        int at = 0;
        for (int i = 0; i < devices.Count; i++)
        {
            ListedDevice device = devices[i];
            int eventOffset = NullTerminated.Align8(NameOffset + Encoding.UTF8.GetByteCount(device.Name) + 1);
            int uuidSize = string.IsNullOrEmpty(device.Uuid) ? 0 : Encoding.UTF8.GetByteCount(device.Uuid) + 1;
            int length = NullTerminated.Align8(eventOffset + 8 + uuidSize);
            if (!result.Fits(at, length))
            {
                return;
            }

            Span<byte> record = result.Bytes.Slice(at, length);
            record.Clear();
            ulong number = device.Number.Encoded;
            uint next = i + 1 < devices.Count ? (uint)length : 0;
            uint eventNumber = device.EventNumber;
            uint flags = device.Uuid switch { null => 0, "" => HasNoUuid, _ => HasUuid };
            MemoryMarshal.Write(record, in number);
            MemoryMarshal.Write(record[8..], in next);
            NullTerminated.Write(record[NameOffset..], device.Name);
            MemoryMarshal.Write(record[eventOffset..], in eventNumber);
            MemoryMarshal.Write(record[(eventOffset + 4)..], in flags);
            if (uuidSize > 0)
            {
                NullTerminated.Write(record[(eventOffset + 8)..], device.Uuid!);
            }

            at += length;
        }

        result.End(at);
    }

    /// <summary>Reads a list.</summary>
    /// <exception cref="DmException">EBADMSG: it is not as the interface has it.</exception>
    public static IReadOnlyList<ListedDevice> Read(DmIoctl ioctl)
    {
        ReadOnlySpan<byte> rest = ResultBuffer.Of(ioctl);
        List<ListedDevice> devices = [];
        if (rest.IsEmpty)
        {
            return devices;
        }

        while (true)
        {
            if (rest.Length <= NameOffset)
            {
                throw ResultBuffer.Malformed("a device's record lies outside of it");
            }

            ulong number = MemoryMarshal.Read<ulong>(rest);
            if (number == 0 && devices.Count == 0)
            {
                // The kernel's way to say that there are none.
                return devices;
            }

            uint next = MemoryMarshal.Read<uint>(rest[8..]);
            string name = ResultBuffer.Text(rest[NameOffset..]);
            int eventOffset = NullTerminated.Align8(NameOffset + Encoding.UTF8.GetByteCount(name) + 1);
            if (rest.Length - eventOffset < 8)
            {
                throw ResultBuffer.Malformed("a device's event number lies outside of it");
            }

            uint flags = MemoryMarshal.Read<uint>(rest[(eventOffset + 4)..]);
            string? uuid = (flags & HasUuid) != 0 ? ResultBuffer.Text(rest[(eventOffset + 8)..]) : (flags & HasNoUuid) != 0 ? "" : null;
            devices.Add(new ListedDevice(DeviceNumber.Decode(number), name, MemoryMarshal.Read<uint>(rest[eventOffset..]), uuid));
            if (next == 0)
            {
                return devices;
            }

            if (next < eventOffset + 8 || next > (uint)rest.Length)
            {
                throw ResultBuffer.Malformed("the next device's record overlaps, or lies outside of it");
            }

            rest = rest[(int)next..];
        }
    }
}
