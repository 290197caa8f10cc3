using System.Buffers.Binary;
using System.Text;
using DeviceMapper.Native;

namespace DeviceMapper.Volumes.Verity;

/// <summary>
/// What veritysetup writes before a tree of hashes, so that a root hash is enough to open it (cryptsetup, lib/verity/verity.c). The device mapper
/// itself does not read it.
/// </summary>
public sealed record VeritySuperblock
{
    /// <summary>Bytes of it.</summary>
    public const int Size = 512;

    internal const int LongestAlgorithm = 32; // bytes, with a zero at its end
    internal const int LongestSalt = 256;

    private static ReadOnlySpan<byte> Signature => "verity\0\0"u8;

    /// <summary>0, of Chromium OS, or 1.</summary>
    public uint HashType { get; init; } = 1;

    /// <summary>Of this tree.</summary>
    public Guid Uuid { get; init; }

    /// <summary>The kernel's name of the hash.</summary>
    public string Algorithm { get; init; } = "sha256";

    /// <summary>Bytes of a block of data.</summary>
    public uint DataBlockSize { get; init; } = 4096;

    /// <summary>Bytes of a block of hashes.</summary>
    public uint HashBlockSize { get; init; } = 4096;

    /// <summary>How many blocks of data there are.</summary>
    public ulong DataBlocks { get; init; }

    /// <summary>Goes into each hash.</summary>
    public byte[] Salt { get; init; } = [];

    /// <summary>Reads one.</summary>
    /// <exception cref="DmException">EINVAL: there is none, or it is damaged.</exception>
    public static VeritySuperblock Read(Stream device, ulong offset = 0)
    {
        byte[] block = new byte[Size];
        device.Position = (long)offset;
        if (device.ReadAtLeast(block, Size, throwOnEndOfStream: false) < Size || !block.AsSpan(0, 8).SequenceEqual(Signature))
        {
            throw Damaged("there is no superblock of verity: it was formatted without one, or is another kind of device");
        }

        ReadOnlySpan<byte> bytes = block;
        VeritySuperblock superblock = new()
        {
            HashType = BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]),
            Uuid = new Guid(bytes[16..32], bigEndian: true),
            Algorithm = TextOf(bytes.Slice(32, LongestAlgorithm)),
            DataBlockSize = BinaryPrimitives.ReadUInt32LittleEndian(bytes[64..]),
            HashBlockSize = BinaryPrimitives.ReadUInt32LittleEndian(bytes[68..]),
            DataBlocks = BinaryPrimitives.ReadUInt64LittleEndian(bytes[72..]),
            Salt = [.. bytes.Slice(88, Math.Min(LongestSalt, (int)BinaryPrimitives.ReadUInt16LittleEndian(bytes[80..])))],
        };
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]) != 1 || superblock.HashType > 1)
        {
            throw Damaged("the superblock of verity is of a version that is not known");
        }

        if (BinaryPrimitives.ReadUInt16LittleEndian(bytes[80..]) > LongestSalt || !VerityFormat.IsBlockSize(superblock.DataBlockSize) || !VerityFormat.IsBlockSize(superblock.HashBlockSize))
        {
            throw Damaged("the superblock of verity is damaged: its block sizes or its salt cannot be");
        }

        if (superblock.DataBlocks is 0 || superblock.DataBlocks > (ulong)long.MaxValue / superblock.DataBlockSize)
        {
            throw Damaged($"the superblock of verity is damaged: {superblock.DataBlocks} blocks of data cannot be");
        }

        return superblock;
    }

    /// <summary>Whether there is one, be it damaged or not.</summary>
    internal static bool IsThere(Stream device, ulong offset)
    {
        byte[] start = new byte[Signature.Length];
        device.Position = (long)offset;
        return device.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length && Signature.SequenceEqual(start);
    }

    /// <summary>Writes it.</summary>
    public void Write(Stream device, ulong offset = 0)
    {
        byte[] block = new byte[Size];
        Span<byte> bytes = block;
        Signature.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], 1);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[12..], HashType);
        Uuid.TryWriteBytes(bytes[16..], bigEndian: true, out _);
        Encoding.ASCII.GetBytes(Algorithm, bytes.Slice(32, LongestAlgorithm - 1));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[64..], DataBlockSize);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[68..], HashBlockSize);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[72..], DataBlocks);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[80..], (ushort)Salt.Length);
        Salt.CopyTo(bytes[88..]);
        device.Position = (long)offset;
        device.Write(block);
    }

    private static string TextOf(ReadOnlySpan<byte> bytes)
    {
        int end = bytes.IndexOf((byte)0);
        return Encoding.ASCII.GetString(end < 0 ? bytes : bytes[..end]);
    }

    private static DmException Damaged(string sentence) => new(Errno.EINVAL, sentence);
}
