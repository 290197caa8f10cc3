using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using DeviceMapper.Native;

namespace DeviceMapper.Cryptography.Modes;

/// <summary>
/// LRW (Liskov, Rivest and Wagner; P1619 draft): <c>lrw(CIPHER)</c>. The last 16 bytes of the key are multiplied in GF(2^128) with the number
/// of the block, which the vector gives big endian.
/// </summary>
internal sealed class LrwMode(BlockCipher cipher) : SectorCipher
{
    private const int Chunk = 512; // bytes encrypted in one call
    private readonly SecretMemory _multiplier = new(16);

    /// <inheritdoc/>
    public override int IvSize => 16;

    /// <inheritdoc/>
    public override int BlockSize => 16;

    /// <inheritdoc/>
    public override void SetKey(ReadOnlySpan<byte> key)
    {
        if (key.Length < 16)
        {
            throw new DmException(Errno.EINVAL, $"a key of lrw ends in 16 bytes for the tweak, and has {key.Length} in all");
        }

        cipher.SetKey(key[..^16]);
        key[^16..].CopyTo(_multiplier.Span);
    }

    /// <inheritdoc/>
    public override void Encrypt(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv) => Pass(source, destination, iv, true);

    /// <inheritdoc/>
    public override void Decrypt(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv) => Pass(source, destination, iv, false);

    /// <inheritdoc/>
    public override void Dispose()
    {
        cipher.Dispose();
        _multiplier.Dispose();
    }

    [SkipLocalsInit]
    private void Pass(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv, bool encrypt)
    {
        Span<byte> tweaks = stackalloc byte[Chunk];
        UInt128 index = BinaryPrimitives.ReadUInt128BigEndian(iv);
        UInt128 multiplier = BinaryPrimitives.ReadUInt128BigEndian(_multiplier.Span);
        UInt128 tweak = Multiply(index, multiplier);
        for (int at = 0; at < source.Length; at += Chunk)
        {
            int length = Math.Min(Chunk, source.Length - at);
            for (int block = 0; block < length; block += 16)
            {
                BinaryPrimitives.WriteUInt128BigEndian(tweaks[block..], tweak);

                // The next number differs in its low bits up to the first that is zero: so does the product.
                UInt128 next = index + 1;
                tweak ^= Multiply(index ^ next, multiplier);
                index = next;
            }

            Span<byte> to = destination.Slice(at, length);
            Bytes.Xor(source.Slice(at, length), tweaks, to);
            if (encrypt)
            {
                cipher.Encrypt(to, to);
            }
            else
            {
                cipher.Decrypt(to, to);
            }

            Bytes.Xor(to, tweaks, to);
        }
    }

    /// <summary>Multiplies modulo x^128 + x^7 + x^2 + x + 1; the lowest bit is the lowest power. Takes as many steps as the first factor has bits.</summary>
    private static UInt128 Multiply(UInt128 number, UInt128 secret)
    {
        UInt128 product = 0;
        for (; number != 0; number >>= 1)
        {
            product ^= secret & (0 - (number & 1));
            secret = (secret << 1) ^ ((secret >> 127) * 0x87);
        }

        return product;
    }
}
