using System.Security.Cryptography;

namespace DeviceMapper.Targets.Crypt.Iv;

/// <summary><c>random</c>: a new vector for each write, kept in the metadata of the device below, beside the tag.</summary>
internal sealed class RandomIv(KeyLayout layout) : IvGenerator
{
    /// <inheritdoc/>
    public override int StoredSize => layout.IvSize;

    /// <inheritdoc/>
    public override void Generate(ulong sector, Span<byte> iv) => RandomNumberGenerator.Fill(iv);
}
