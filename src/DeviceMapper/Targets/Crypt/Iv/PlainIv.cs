using System.Buffers.Binary;

namespace DeviceMapper.Targets.Crypt.Iv;

/// <summary><c>plain</c>: the low 32 bits of the sector's number, little endian. Repeats after 2 TiB.</summary>
internal sealed class PlainIv : IvGenerator
{
    /// <inheritdoc/>
    public override void Generate(ulong sector, Span<byte> iv)
    {
        iv.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(iv, (uint)sector);
    }
}
