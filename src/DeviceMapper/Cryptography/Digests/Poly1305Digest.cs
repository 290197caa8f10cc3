using System.Buffers.Binary;

namespace DeviceMapper.Cryptography.Digests;

/// <summary>
/// <c>poly1305</c> as the kernel has it by that name (crypto/poly1305_generic.c): the first 32 bytes of what it hashes are the key.
/// </summary>
internal sealed class Poly1305Digest : JoinedDigest
{
    /// <summary>Bytes of the key: the factor, and what is added at the end.</summary>
    public const int KeySize = 2 * Poly1305.BlockSize;

    /// <inheritdoc/>
    public override int Size => Poly1305.BlockSize;

    /// <inheritdoc/>
    public override void Dispose()
    {
    }

    /// <inheritdoc/>
    protected override void HashWhole(ReadOnlySpan<byte> bytes, Span<byte> digest)
    {
        Span<byte> key = stackalloc byte[KeySize];
        key.Clear(); // the kernel refuses what is shorter, which no user of ours has
        bytes[..Math.Min(KeySize, bytes.Length)].CopyTo(key);
        Poly1305 poly = new(key);
        poly.AddAll(bytes[Math.Min(KeySize, bytes.Length)..]);
        BinaryPrimitives.WriteUInt128LittleEndian(digest, poly.Finish() + BinaryPrimitives.ReadUInt128LittleEndian(key[Poly1305.BlockSize..]));
    }
}
