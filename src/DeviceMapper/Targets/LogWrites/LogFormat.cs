using System.Buffers.Binary;
using System.Text;
using DeviceMapper.Io;

namespace DeviceMapper.Targets.LogWrites;

/// <summary>What a log entry is about (<c>LOG_*_FLAG</c> of drivers/md/dm-log-writes.c).</summary>
[Flags]
public enum LogFlags : ulong
{
    /// <summary>A write.</summary>
    None = 0,

    /// <summary>A flush: what stands before it and had completed is durable.</summary>
    Flush = 1,

    /// <summary>A write that is durable by itself.</summary>
    Fua = 2,

    /// <summary>A discard; no data follows.</summary>
    Discard = 4,

    /// <summary>A mark of the user's; its text follows in the entry's own block.</summary>
    Mark = 8,

    /// <summary>A write of a file system's metadata.</summary>
    Metadata = 16,
}

/// <summary>The first block of a log: little endian, magic, version, number of entries, block size.</summary>
/// <param name="Entries">How many entries follow, each in a block of its own with its data behind it.</param>
/// <param name="BlockSize">Bytes of a block: the unit of everything in the log.</param>
public readonly record struct LogSuperBlock(ulong Entries, uint BlockSize)
{
    /// <summary>Bytes of it.</summary>
    public const int Size = 28;

    private const ulong Magic = 0x6a736677736872;
    private const ulong Version = 1;

    /// <summary>Writes it.</summary>
    public void Write(Span<byte> block)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(block, Magic);
        BinaryPrimitives.WriteUInt64LittleEndian(block[8..], Version);
        BinaryPrimitives.WriteUInt64LittleEndian(block[16..], Entries);
        BinaryPrimitives.WriteUInt32LittleEndian(block[24..], BlockSize);
    }

    /// <summary>Reads it.</summary>
    /// <returns>Null where it is none, or of a version or block size that does not exist.</returns>
    public static LogSuperBlock? Read(ReadOnlySpan<byte> block)
    {
        if (BinaryPrimitives.ReadUInt64LittleEndian(block) != Magic || BinaryPrimitives.ReadUInt64LittleEndian(block[8..]) != Version)
        {
            return null;
        }

        LogSuperBlock super = new(BinaryPrimitives.ReadUInt64LittleEndian(block[16..]), BinaryPrimitives.ReadUInt32LittleEndian(block[24..]));
        return super.BlockSize >= Sector.Size && uint.IsPow2(super.BlockSize) ? super : null;
    }
}

/// <summary>An entry of a log: little endian, block number, number of blocks, flags, length of a mark's text.</summary>
/// <param name="Block">The first block of the logged device.</param>
/// <param name="Blocks">How many.</param>
/// <param name="Flags">What happened to them.</param>
/// <param name="TextLength">Bytes of a mark's text; 0 in others.</param>
public readonly record struct LogEntry(ulong Block, ulong Blocks, LogFlags Flags, ulong TextLength)
{
    /// <summary>Bytes of it.</summary>
    public const int Size = 32;

    /// <summary>Whether blocks of data follow the entry's own.</summary>
    public bool HasData => Blocks != 0 && (Flags & LogFlags.Discard) == 0;

    /// <summary>Writes it.</summary>
    public void Write(Span<byte> block)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(block, Block);
        BinaryPrimitives.WriteUInt64LittleEndian(block[8..], Blocks);
        BinaryPrimitives.WriteUInt64LittleEndian(block[16..], (ulong)Flags);
        BinaryPrimitives.WriteUInt64LittleEndian(block[24..], TextLength);
    }

    /// <summary>Reads it.</summary>
    public static LogEntry Read(ReadOnlySpan<byte> block) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(block),
        BinaryPrimitives.ReadUInt64LittleEndian(block[8..]),
        (LogFlags)BinaryPrimitives.ReadUInt64LittleEndian(block[16..]),
        BinaryPrimitives.ReadUInt64LittleEndian(block[24..]));

    /// <summary>The text of a mark, from the entry's block.</summary>
    public string MarkText(ReadOnlySpan<byte> block) =>
        Encoding.UTF8.GetString(block.Slice(Size, (int)Math.Min(TextLength, (ulong)(block.Length - Size))));
}
