using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using DeviceMapper.Native;

namespace DeviceMapper.Cryptography.Modes;

/// <summary>XTS (IEEE 1619) over any cipher with blocks of 16 bytes: <c>xts(CIPHER)</c>.</summary>
/// <param name="data">What encrypts the data.</param>
/// <param name="tweak">What encrypts the vector.</param>
internal sealed class XtsMode(BlockCipher data, BlockCipher tweak) : SectorCipher
{
    private const int Chunk = 512; // bytes encrypted in one call

    /// <inheritdoc/>
    public override int IvSize => 16;

    /// <inheritdoc/>
    public override int BlockSize => 16;

    /// <inheritdoc/>
    public override void SetKey(ReadOnlySpan<byte> key)
    {
        if (key.Length % 2 != 0)
        {
            throw new DmException(Errno.EINVAL, $"a key of xts has two halves, and {key.Length} bytes do not");
        }

        data.SetKey(key[..(key.Length / 2)]);
        tweak.SetKey(key[(key.Length / 2)..]);
    }

    /// <inheritdoc/>
    public override void Encrypt(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv) => Pass(source, destination, iv, true);

    /// <inheritdoc/>
    public override void Decrypt(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv) => Pass(source, destination, iv, false);

    /// <inheritdoc/>
    public override void Dispose()
    {
        data.Dispose();
        tweak.Dispose();
    }

    [SkipLocalsInit]
    private void Pass(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv, bool encrypt)
    {
        Span<byte> first = stackalloc byte[16];
        Span<byte> tweaks = stackalloc byte[Chunk];
        tweak.Encrypt(iv[..16], first);
        UInt128 value = BinaryPrimitives.ReadUInt128LittleEndian(first);
        for (int at = 0; at < source.Length; at += Chunk)
        {
            int length = Math.Min(Chunk, source.Length - at);
            for (int block = 0; block < length; block += 16)
            {
                BinaryPrimitives.WriteUInt128LittleEndian(tweaks[block..], value);
                value = (value << 1) ^ ((value >> 127) * 0x87);
            }

            Span<byte> to = destination.Slice(at, length);
            Bytes.Xor(source.Slice(at, length), tweaks, to);
            if (encrypt)
            {
                data.Encrypt(to, to);
            }
            else
            {
                data.Decrypt(to, to);
            }

            Bytes.Xor(to, tweaks, to);
        }
    }
}
