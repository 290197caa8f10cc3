using System.Buffers.Binary;

namespace DeviceMapper.Nbd.Protocol;

/// <summary>A request, without the data of a write.</summary>
/// <param name="Flags">How.</param>
/// <param name="Command">What.</param>
/// <param name="Cookie">What its replies are recognised by.</param>
/// <param name="Offset">Where, in bytes.</param>
/// <param name="Length">How many bytes.</param>
internal readonly record struct NbdRequest(NbdCommandFlags Flags, NbdCommand Command, ulong Cookie, ulong Offset, uint Length)
{
    /// <summary>Reads a request.</summary>
    /// <param name="bytes">At least <see cref="NbdTransmission.RequestLength"/>.</param>
    /// <param name="request">The request.</param>
    /// <returns>False where it does not start as one: the two sides have lost each other.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out NbdRequest request)
    {
        request = new NbdRequest(
            (NbdCommandFlags)BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]),
            (NbdCommand)BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]),
            BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]),
            BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]),
            BinaryPrimitives.ReadUInt32BigEndian(bytes[24..]));
        return BinaryPrimitives.ReadUInt32BigEndian(bytes) == NbdTransmission.RequestMagic;
    }

    /// <summary>Writes it.</summary>
    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt32BigEndian(bytes, NbdTransmission.RequestMagic);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[4..], (ushort)Flags);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[6..], (ushort)Command);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], Cookie);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[16..], Offset);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[24..], Length);
    }
}
