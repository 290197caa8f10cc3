using System.Runtime.InteropServices;
using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Ioctl;

/// <summary>
/// <c>struct dm_target_spec</c>, one for each target, each followed by a string and aligned to 8 bytes: the payload of
/// <see cref="DmCommand.TableLoad"/>, and the answer of <see cref="DmCommand.TableStatus"/> and <see cref="DmCommand.DevWait"/>.
/// </summary>
public static class TargetSpecs
{
    // sector_start u64, length u64, status s32, next u32, target_type[16]
    private const int SpecSize = 40, TypeOffset = 24, TypeField = 16;

    /// <summary>Writes a table to load. <c>next</c> counts from each spec.</summary>
    /// <exception cref="DmException">EINVAL: a type's word is longer than 15 bytes; EOVERFLOW: the table is larger than an ioctl can be.</exception>
    public static byte[] WriteTable(IReadOnlyList<TableLine> lines)
    {
        long size = 0;
        foreach (TableLine line in lines)
        {
            size += NullTerminated.Align8(SpecSize + NullTerminated.Length(line.Arguments, line.Type) + 1);
            if (size > DmIoctl.MaxDataSize - DmIoctl.HeaderSize)
            {
                throw new DmException(Errno.EOVERFLOW, $"a table of {lines.Count} targets is larger than {DmIoctl.MaxDataSize} bytes");
            }
        }

        byte[] payload = GC.AllocateArray<byte>((int)size, pinned: true);
        int at = 0;
        foreach (TableLine line in lines)
        {
            int written = WriteSpec(payload.AsSpan(at), line.Start, line.Length, line.Type, line.Arguments);
            int next = NullTerminated.Align8(written);
            SetNext(payload.AsSpan(at), (uint)next);
            at += next;
        }

        return payload;
    }

    /// <summary>Reads a table to load, checked as the kernel's <c>populate_table</c> does.</summary>
    /// <param name="ioctl">The request.</param>
    /// <param name="size">How many of its bytes were given.</param>
    /// <param name="keys">Takes the keys in it.</param>
    /// <exception cref="DmException">EINVAL: a spec or its string lies outside of the buffer, on another, or is not aligned.</exception>
    internal static List<TableLine> ReadTable(DmIoctl ioctl, int size, PassedKeys keys)
    {
        ReadOnlySpan<byte> buffer = ioctl.Bytes[..size];
        uint count = ioctl.TargetCount;
        if (count == 0)
        {
            throw new DmException(Errno.EINVAL, "the table has no targets");
        }

        List<TableLine> lines = [];
        int spec = 0;
        ulong next = ioctl.DataStart;
        int least = DmIoctl.HeaderSize;
        for (uint i = 0; i < count; i++)
        {
            if (next < (ulong)least)
            {
                throw Malformed(i, "overlaps what stands before it");
            }

            // Room for the spec and for its string's NUL.
            if (next >= (ulong)Math.Max(0, size - spec - SpecSize))
            {
                throw Malformed(i, "lies beyond the end of the buffer");
            }

            if (next % 8 != 0)
            {
                throw Malformed(i, "is not aligned to 8 bytes");
            }

            spec += (int)next;
            ReadOnlySpan<byte> text = buffer[(spec + SpecSize)..];
            int length = text.IndexOf((byte)0);
            if (length < 0)
            {
                throw Malformed(i, "has no NUL behind its arguments");
            }

            string type = NullTerminated.Read(buffer.Slice(spec + TypeOffset, TypeField), $"target {i + 1}: type");
            lines.Add(new TableLine(
                new Sector(MemoryMarshal.Read<ulong>(buffer[spec..])),
                new SectorCount(MemoryMarshal.Read<ulong>(buffer[(spec + 8)..])),
                type,
                keys.ReadArguments(type, text[..length], $"target {i + 1}: arguments")));
            least = SpecSize + length + 1;
            next = MemoryMarshal.Read<uint>(buffer[(spec + 20)..]);
        }

        return lines;
    }

    /// <summary>Writes the status of targets behind the struct. <c>next</c> counts from the first spec. What does not fit sets <see cref="DmFlags.BufferFull"/>.</summary>
    internal static void WriteStatus(DmIoctl ioctl, int size, IReadOnlyList<TargetText> targets)
    {
        ResultBuffer result = new(ioctl, size);
        int at = 0;
        foreach (TargetText target in targets)
        {
            // One byte more than needed must fit, and then the next spec's place: as the kernel has it.
            int length = SpecSize + Encoding.UTF8.GetByteCount(target.Text) + 1;
            if (!result.Fits(at, length + 1))
            {
                break;
            }

            WriteSpec(result.Bytes[at..], target.Start, target.Length, target.Type, target.Text);
            result.End(at + length);
            int next = NullTerminated.Align8(at + length);
            if (!result.Fits(at, next - at))
            {
                break;
            }

            SetNext(result.Bytes[at..], (uint)next);
            at = next;
        }
    }

    /// <summary>Reads the status of targets.</summary>
    /// <exception cref="DmException">EBADMSG: it is not as the interface has it.</exception>
    public static IReadOnlyList<TargetText> ReadStatus(DmIoctl ioctl)
    {
        ReadOnlySpan<byte> data = ResultBuffer.Of(ioctl);
        List<TargetText> targets = [];
        uint at = 0;
        for (uint i = 0; i < ioctl.TargetCount; i++)
        {
            if (at > (uint)data.Length || data.Length - (int)at <= SpecSize)
            {
                throw ResultBuffer.Malformed("a target's status lies outside of it");
            }

            ReadOnlySpan<byte> spec = data[(int)at..];
            uint next = MemoryMarshal.Read<uint>(spec[20..]);
            if (i + 1 < ioctl.TargetCount && next < at + SpecSize)
            {
                throw ResultBuffer.Malformed("a target's status overlaps another");
            }

            targets.Add(new TargetText(
                new Sector(MemoryMarshal.Read<ulong>(spec)),
                new SectorCount(MemoryMarshal.Read<ulong>(spec[8..])),
                ResultBuffer.Text(spec.Slice(TypeOffset, TypeField)),
                ResultBuffer.Text(spec[SpecSize..])));
            at = next;
        }

        return targets;
    }

    private static int WriteSpec(Span<byte> to, Sector start, SectorCount length, string type, string text)
    {
        ulong startValue = start.Value, lengthValue = length.Value;
        to[..SpecSize].Clear();
        MemoryMarshal.Write(to, in startValue);
        MemoryMarshal.Write(to[8..], in lengthValue);
        NullTerminated.WriteField(to.Slice(TypeOffset, TypeField), type, "target type");
        return SpecSize + NullTerminated.Write(to[SpecSize..], text);
    }

    private static void SetNext(Span<byte> spec, uint next) => MemoryMarshal.Write(spec[20..], in next);

    private static DmException Malformed(uint index, string reason) =>
        new(Errno.EINVAL, $"target {index + 1}: its specification {reason}");
}
