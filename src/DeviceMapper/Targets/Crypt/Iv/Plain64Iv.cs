using System.Buffers.Binary;

namespace DeviceMapper.Targets.Crypt.Iv;

/// <summary><c>plain64</c>: the sector's number, little endian; for <c>essiv</c> too.</summary>
internal sealed class Plain64Iv : IvGenerator
{
    /// <inheritdoc/>
    public override void Generate(ulong sector, Span<byte> iv)
    {
        iv.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(iv, sector);
    }
}
