using System.Runtime.InteropServices;
using System.Text;
using DeviceMapper.Targets;

namespace DeviceMapper.Ioctl;

/// <summary>A target type in a list.</summary>
/// <param name="Name">Its word in a table.</param>
/// <param name="Version">Its version.</param>
public readonly record struct ListedTargetType(string Name, TargetVersion Version);

/// <summary><c>struct dm_target_versions</c>: the answer of <see cref="DmCommand.ListVersions"/> and <see cref="DmCommand.GetTargetVersion"/>.</summary>
public static class TargetVersions
{
    // next u32, version[3] u32, name NUL; aligned to 8.
    private const int NameOffset = 16;

    /// <summary>Writes a list. What does not fit sets <see cref="DmFlags.BufferFull"/>.</summary>
    internal static void Write(DmIoctl ioctl, int size, IEnumerable<TargetType> types)
    {
        ResultBuffer result = new(ioctl, size);
        int at = 0, last = -1;
        foreach (TargetType type in types)
        {
            int length = NullTerminated.Align8(NameOffset + Encoding.UTF8.GetByteCount(type.Name) + 1);
            if (!result.Fits(at, length))
            {
                return;
            }

            Span<byte> record = result.Bytes.Slice(at, length);
            record.Clear();
            (uint major, uint minor, uint patch) = type.Version;
            uint next = (uint)length;
            MemoryMarshal.Write(record, in next);
            MemoryMarshal.Write(record[4..], in major);
            MemoryMarshal.Write(record[8..], in minor);
            MemoryMarshal.Write(record[12..], in patch);
            NullTerminated.Write(record[NameOffset..], type.Name);
            last = at;
            at += length;
        }

        if (last >= 0)
        {
            uint none = 0;
            MemoryMarshal.Write(result.Bytes[last..], in none);
        }

        result.End(at);
    }

    /// <summary>Reads a list.</summary>
    /// <exception cref="DmException">EBADMSG: it is not as the interface has it.</exception>
    public static IReadOnlyList<ListedTargetType> Read(DmIoctl ioctl)
    {
        ReadOnlySpan<byte> rest = ResultBuffer.Of(ioctl);
        List<ListedTargetType> types = [];
        while (!rest.IsEmpty)
        {
            if (rest.Length <= NameOffset)
            {
                throw ResultBuffer.Malformed("a target type's record lies outside of it");
            }

            uint next = MemoryMarshal.Read<uint>(rest);
            TargetVersion version = new(
                MemoryMarshal.Read<uint>(rest[4..]), MemoryMarshal.Read<uint>(rest[8..]), MemoryMarshal.Read<uint>(rest[12..]));
            types.Add(new ListedTargetType(ResultBuffer.Text(rest[NameOffset..]), version));
            if (next == 0)
            {
                break;
            }

            if (next <= NameOffset || next > (uint)rest.Length)
            {
                throw ResultBuffer.Malformed("the next target type's record overlaps, or lies outside of it");
            }

            rest = rest[(int)next..];
        }

        return types;
    }
}
