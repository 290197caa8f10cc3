using System.Runtime.CompilerServices;

namespace DeviceMapper.Cryptography.Modes;

/// <summary>Counter mode: <c>ctr(CIPHER)</c>. The vector is the first counter, a big-endian number as long as a block.</summary>
internal sealed class CtrMode(BlockCipher cipher) : SectorCipher
{
    private const int Chunk = 512; // bytes of key stream made in one call

    /// <inheritdoc/>
    public override int IvSize => cipher.BlockSize;

    /// <inheritdoc/>
    public override int BlockSize => 1;

    /// <inheritdoc/>
    public override void SetKey(ReadOnlySpan<byte> key) => cipher.SetKey(key);

    /// <inheritdoc/>
    [SkipLocalsInit]
    public override void Encrypt(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv)
    {
        int size = cipher.BlockSize;
        Span<byte> counter = stackalloc byte[size];
        Span<byte> stream = stackalloc byte[Chunk];
        iv[..size].CopyTo(counter);
        for (int at = 0; at < source.Length; at += Chunk)
        {
            int length = Math.Min(Chunk, source.Length - at);
            for (int block = 0; block < length; block += size)
            {
                counter.CopyTo(stream[block..]);
                Increment(counter);
            }

            cipher.Encrypt(stream, stream);
            Bytes.Xor(source.Slice(at, length), stream, destination.Slice(at, length));
        }
    }

    /// <inheritdoc/>
    public override void Decrypt(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv) => Encrypt(source, destination, iv);

    /// <inheritdoc/>
    public override void Dispose() => cipher.Dispose();

    private static void Increment(Span<byte> counter)
    {
        for (int i = counter.Length - 1; i >= 0 && ++counter[i] == 0; i--)
        {
        }
    }
}
