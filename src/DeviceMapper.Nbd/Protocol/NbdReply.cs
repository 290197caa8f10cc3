using System.Buffers.Binary;

namespace DeviceMapper.Nbd.Protocol;

/// <summary>Writes replies into the memory that they are sent from.</summary>
internal static unsafe class NbdReply
{
    /// <summary>Bytes of a chunk of data before the data: the header and the offset.</summary>
    public const int DataHeaderLength = NbdTransmission.ChunkHeaderLength + sizeof(ulong);

    /// <summary>Bytes of a chunk that says that a range is zeroes.</summary>
    public const int HoleLength = NbdTransmission.ChunkHeaderLength + sizeof(ulong) + sizeof(uint);

    /// <summary>Bytes of a chunk with an error.</summary>
    public const int ErrorLength = NbdTransmission.ChunkHeaderLength + sizeof(uint) + sizeof(ushort);

    /// <summary>Bytes of a chunk with an error at an offset.</summary>
    public const int ErrorOffsetLength = ErrorLength + sizeof(ulong);

    /// <summary>Writes a simple reply.</summary>
    public static void Simple(byte* to, ulong cookie, NbdError error)
    {
        Span<byte> bytes = new(to, NbdTransmission.SimpleReplyLength);
        BinaryPrimitives.WriteUInt32BigEndian(bytes, NbdTransmission.SimpleReplyMagic);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[4..], (uint)error);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], cookie);
    }

    /// <summary>Writes the header of a chunk that has <paramref name="length"/> more bytes.</summary>
    public static void Chunk(byte* to, ulong cookie, NbdChunkFlags flags, NbdChunk type, int length)
    {
        Span<byte> bytes = new(to, NbdTransmission.ChunkHeaderLength);
        BinaryPrimitives.WriteUInt32BigEndian(bytes, NbdTransmission.StructuredReplyMagic);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[4..], (ushort)flags);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[6..], (ushort)type);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], cookie);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[16..], (uint)length);
    }

    /// <summary>Makes a chunk that is not the last one the last one.</summary>
    public static void SetDone(byte* chunk) => chunk[5] |= (byte)NbdChunkFlags.Done;

    /// <summary>Writes what is before the data of a chunk of data.</summary>
    public static void Data(byte* to, ulong cookie, NbdChunkFlags flags, ulong offset, int length)
    {
        Chunk(to, cookie, flags, NbdChunk.OffsetData, sizeof(ulong) + length);
        BinaryPrimitives.WriteUInt64BigEndian(new Span<byte>(to + NbdTransmission.ChunkHeaderLength, sizeof(ulong)), offset);
    }

    /// <summary>Writes a chunk that says that a range is zeroes.</summary>
    public static void Hole(byte* to, ulong cookie, NbdChunkFlags flags, ulong offset, int length)
    {
        Chunk(to, cookie, flags, NbdChunk.OffsetHole, sizeof(ulong) + sizeof(uint));
        Span<byte> body = new(to + NbdTransmission.ChunkHeaderLength, sizeof(ulong) + sizeof(uint));
        BinaryPrimitives.WriteUInt64BigEndian(body, offset);
        BinaryPrimitives.WriteUInt32BigEndian(body[8..], (uint)length);
    }

    /// <summary>Writes a chunk with an error, without a message.</summary>
    public static void Error(byte* to, ulong cookie, NbdChunkFlags flags, NbdError error)
    {
        Chunk(to, cookie, flags, NbdChunk.Error, sizeof(uint) + sizeof(ushort));
        WriteError(to, error);
    }

    /// <summary>Writes a chunk with an error at an offset, without a message.</summary>
    public static void ErrorOffset(byte* to, ulong cookie, NbdChunkFlags flags, NbdError error, ulong offset)
    {
        Chunk(to, cookie, flags, NbdChunk.ErrorOffset, sizeof(uint) + sizeof(ushort) + sizeof(ulong));
        WriteError(to, error);
        BinaryPrimitives.WriteUInt64BigEndian(new Span<byte>(to + ErrorLength, sizeof(ulong)), offset);
    }

    private static void WriteError(byte* chunk, NbdError error)
    {
        Span<byte> body = new(chunk + NbdTransmission.ChunkHeaderLength, sizeof(uint) + sizeof(ushort));
        BinaryPrimitives.WriteUInt32BigEndian(body, (uint)error);
        BinaryPrimitives.WriteUInt16BigEndian(body[4..], 0);
    }
}
