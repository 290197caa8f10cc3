using System.Buffers;

namespace DeviceMapper.Cryptography.Digests;

/// <summary>A digest that takes all its bytes in one piece.</summary>
internal abstract class JoinedDigest : Digest
{
    private const int LargestOnStack = 4096 + 512; // a block of data, and its number or its salt before it

    /// <inheritdoc/>
    public sealed override void Hash(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> digest)
    {
        if (first.IsEmpty || second.IsEmpty)
        {
            HashWhole(first.IsEmpty ? second : first, digest);
            return;
        }

        int length = first.Length + second.Length;
        byte[]? rented = length > LargestOnStack ? ArrayPool<byte>.Shared.Rent(length) : null;
        Span<byte> joined = rented is null ? stackalloc byte[LargestOnStack] : rented;
        joined = joined[..length];
        first.CopyTo(joined);
        second.CopyTo(joined[first.Length..]);
        HashWhole(joined, digest);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>The digest of a run of bytes.</summary>
    protected abstract void HashWhole(ReadOnlySpan<byte> bytes, Span<byte> digest);
}
