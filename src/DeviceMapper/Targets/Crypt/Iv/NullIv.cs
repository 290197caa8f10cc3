namespace DeviceMapper.Targets.Crypt.Iv;

/// <summary><c>null</c>: zeroes for every sector; of loop-AES's first format.</summary>
internal sealed class NullIv : IvGenerator
{
    /// <inheritdoc/>
    public override void Generate(ulong sector, Span<byte> iv) => iv.Clear();
}
