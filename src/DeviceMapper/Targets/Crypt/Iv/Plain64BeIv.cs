using System.Buffers.Binary;

namespace DeviceMapper.Targets.Crypt.Iv;

/// <summary><c>plain64be</c>: the sector's number, big endian, at the end of the vector.</summary>
internal sealed class Plain64BeIv : IvGenerator
{
    /// <inheritdoc/>
    public override void Generate(ulong sector, Span<byte> iv)
    {
        iv.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(iv[^sizeof(ulong)..], sector);
    }
}
