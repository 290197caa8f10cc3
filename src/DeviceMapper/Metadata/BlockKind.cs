using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using DeviceMapper.Native;

namespace DeviceMapper.Metadata;

/// <summary>
/// A kind of metadata block, and how one is told from garbage (the kernel's <c>dm_block_validator</c>): 32 bits of checksum at its start, over
/// all that follows, and the block's own number somewhere behind.
/// </summary>
/// <param name="Name">For sentences.</param>
/// <param name="Salt">What the checksum is combined with by exclusive or, so that a block of another kind does not pass.</param>
/// <param name="NumberOffset">Where its number is, in bytes.</param>
public sealed record BlockKind(string Name, uint Salt, int NumberOffset = 8)
{
    /// <summary>Bytes of a block, of every kind.</summary>
    public const int Size = 4096;

    /// <summary>A node of a btree.</summary>
    public static BlockKind Node { get; } = new("btree node", 121107);

    /// <summary>A bitmap of a space map.</summary>
    public static BlockKind Bitmap { get; } = new("bitmap", 240779);

    /// <summary>The index of the metadata's space map.</summary>
    public static BlockKind Index { get; } = new("bitmap index", 160478);

    /// <summary>A block of an array.</summary>
    public static BlockKind Array { get; } = new("array block", 595846735, 16);

    /// <summary>The superblock of a thin pool.</summary>
    public static BlockKind ThinSuperblock { get; } = new("superblock", 160774);

    /// <summary>Writes number and checksum into a block that is about to be written.</summary>
    public void Seal(Span<byte> block, ulong number)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(block[NumberOffset..], number);
        BinaryPrimitives.WriteUInt32LittleEndian(block, Checksum(block));
    }

    /// <summary>Checks a block that was read.</summary>
    /// <exception cref="DmException">ENOTBLK: it has the number of another block; EILSEQ: its checksum is wrong.</exception>
    public void Check(ReadOnlySpan<byte> block, ulong number)
    {
        ulong there = BinaryPrimitives.ReadUInt64LittleEndian(block[NumberOffset..]);
        if (there != number)
        {
            throw new DmException(Errno.ENOTBLK, $"metadata block {number} ({Name}) says that it is number {there}");
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(block) != Checksum(block))
        {
            throw new DmException(Errno.EILSEQ, $"metadata block {number} ({Name}) has a wrong checksum");
        }
    }

    /// <summary>CRC-32C over all but the checksum itself, begun with ones and not inverted at the end.</summary>
    private uint Checksum(ReadOnlySpan<byte> block)
    {
        uint crc = BitOperations.Crc32C(uint.MaxValue, BinaryPrimitives.ReadUInt32LittleEndian(block[4..]));
        foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(block[8..]))
        {
            crc = BitOperations.Crc32C(crc, BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word));
        }

        return crc ^ Salt;
    }
}
