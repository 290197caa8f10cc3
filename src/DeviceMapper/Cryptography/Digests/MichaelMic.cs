using System.Buffers.Binary;
using System.Numerics;
using DeviceMapper.Native;

namespace DeviceMapper.Cryptography.Digests;

/// <summary><c>michael_mic</c>: the keyed checksum of TKIP (IEEE 802.11, 12.5.2.3; crypto/michael_mic.c).</summary>
internal sealed class MichaelMic : JoinedDigest
{
    private const int KeySize = 8;

    private readonly SecretMemory _key;

    /// <summary>Makes the checksum.</summary>
    /// <exception cref="DmException">EINVAL: the key has not 8 bytes.</exception>
    public MichaelMic(ReadOnlySpan<byte> key) => _key = key.Length == KeySize
        ? new SecretMemory(key)
        : throw new DmException(Errno.EINVAL, $"a key of michael_mic has {KeySize} bytes, not {key.Length}");

    /// <inheritdoc/>
    public override int Size => 8;

    /// <inheritdoc/>
    public override bool IsKeyed => true;

    /// <inheritdoc/>
    public override void Dispose() => _key.Dispose();

    /// <inheritdoc/>
    protected override void HashWhole(ReadOnlySpan<byte> bytes, Span<byte> digest)
    {
        uint left = BinaryPrimitives.ReadUInt32LittleEndian(_key.Span);
        uint right = BinaryPrimitives.ReadUInt32LittleEndian(_key.Span[4..]);
        for (; bytes.Length >= sizeof(uint); bytes = bytes[sizeof(uint)..])
        {
            Take(BinaryPrimitives.ReadUInt32LittleEndian(bytes), ref left, ref right);
        }

        Span<byte> last = stackalloc byte[sizeof(uint)];
        last.Clear();
        bytes.CopyTo(last);
        last[bytes.Length] = 0x5a;
        Take(BinaryPrimitives.ReadUInt32LittleEndian(last), ref left, ref right);
        Take(0, ref left, ref right);
        BinaryPrimitives.WriteUInt32LittleEndian(digest, left);
        BinaryPrimitives.WriteUInt32LittleEndian(digest[4..], right);
    }

    private static void Take(uint word, ref uint left, ref uint right)
    {
        left ^= word;
        right ^= BitOperations.RotateLeft(left, 17);
        left += right;
        right ^= ((left & 0x00ff00ff) << 8) | ((left & 0xff00ff00) >> 8);
        left += right;
        right ^= BitOperations.RotateLeft(left, 3);
        left += right;
        right ^= BitOperations.RotateRight(left, 2);
        left += right;
    }
}
