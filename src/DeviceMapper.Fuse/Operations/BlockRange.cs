using DeviceMapper.Fuse.Native;
using DeviceMapper.Fuse.Protocol;
using DeviceMapper.Io;

namespace DeviceMapper.Fuse.Operations;

/// <summary>The whole blocks that a range of bytes touches.</summary>
/// <param name="Start">The first sector.</param>
/// <param name="Length">In bytes, a multiple of 512.</param>
/// <param name="Skip">Bytes from the start to the range.</param>
internal readonly record struct BlockRange(Sector Start, int Length, int Skip)
{
    private const uint LeastCut = 64 << 10; // bytes

    public SectorCount Count => SectorCount.FromBytes((ulong)Length);

    /// <summary>
    /// Whether a descriptor with O_DIRECT asks for something else than whole blocks, which a block device refuses. The kernel's FUSE cuts a large
    /// request wherever a page of its memory ends: of these, any part is taken.
    /// </summary>
    public static bool IsRefused(in FuseDataIn request, uint blockSize) =>
        (request.Flags & LibC.O_DIRECT) != 0 && request.Size < LeastCut && ((request.Offset | request.Size) & (blockSize - 1)) != 0;

    /// <summary>Rounds a range that lies on a device to its blocks; the last block ends with the device.</summary>
    public static BlockRange Covering(ulong offset, int length, uint blockSize, ulong deviceSize)
    {
        ulong start = offset & ~(blockSize - 1ul);
        ulong end = Math.Min((offset + (ulong)length + blockSize - 1) & ~(blockSize - 1ul), deviceSize);
        return new BlockRange(Sector.FromBytes(start), (int)(end - start), (int)(offset - start));
    }
}
