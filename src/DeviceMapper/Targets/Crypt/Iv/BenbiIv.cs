using System.Buffers.Binary;
using System.Numerics;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Crypt.Iv;

/// <summary><c>benbi</c>: the number of the sector's first block of the cipher, counted from 1, big endian; for lrw.</summary>
internal sealed class BenbiIv : IvGenerator
{
    private readonly int _shift; // log2 of the blocks in 512 bytes

    public BenbiIv(KeyLayout layout)
    {
        int block = layout.BlockSize;
        if (!BitOperations.IsPow2(block) || block > Io.Sector.Size)
        {
            throw new DmException(Errno.EINVAL, $"crypt: benbi needs a cipher whose blocks are a power of two up to 512 bytes, not {block}");
        }

        _shift = Io.Sector.Shift - BitOperations.Log2((uint)block);
    }

    /// <inheritdoc/>
    public override void Generate(ulong sector, Span<byte> iv)
    {
        iv.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(iv[^sizeof(ulong)..], (sector << _shift) + 1);
    }
}
