using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace DeviceMapper.Cryptography.Modes;

/// <summary>The counter mode of HCTR2: <c>xctr(CIPHER)</c> (crypto/xctr.c). What is encrypted is the vector with a little-endian number, from 1 on, added without carry.</summary>
internal sealed class XctrMode(BlockCipher cipher) : SectorCipher
{
    private const int Block = 16;
    private const int Chunk = 512; // bytes of key stream made in one call

    /// <inheritdoc/>
    public override int IvSize => Block;

    /// <inheritdoc/>
    public override int BlockSize => 1;

    /// <inheritdoc/>
    public override void SetKey(ReadOnlySpan<byte> key) => cipher.SetKey(key);

    /// <inheritdoc/>
    public override void Encrypt(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv) => Xor(cipher, source, destination, iv);

    /// <inheritdoc/>
    public override void Decrypt(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv) => Xor(cipher, source, destination, iv);

    /// <inheritdoc/>
    public override void Dispose() => cipher.Dispose();

    /// <summary>Adds the key stream.</summary>
    [SkipLocalsInit]
    internal static void Xor(BlockCipher cipher, ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv)
    {
        Span<byte> stream = stackalloc byte[Chunk];
        uint first = BinaryPrimitives.ReadUInt32LittleEndian(iv);
        uint counter = 0;
        for (int at = 0; at < source.Length; at += Chunk)
        {
            int length = Math.Min(Chunk, source.Length - at);
            Span<byte> blocks = stream[..((length + Block - 1) & -Block)];
            for (int block = 0; block < blocks.Length; block += Block)
            {
                iv[..Block].CopyTo(blocks[block..]);
                BinaryPrimitives.WriteUInt32LittleEndian(blocks[block..], first ^ ++counter);
            }

            cipher.Encrypt(blocks, blocks);
            Bytes.Xor(source.Slice(at, length), stream[..length], destination.Slice(at, length));
        }
    }
}
