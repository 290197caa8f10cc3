using System.Buffers.Binary;
using DeviceMapper.Native;

namespace DeviceMapper.Cryptography.Digests;

/// <summary><c>ghash</c>: the keyed hash of GCM (NIST SP 800-38D, 6.4), of bytes that are filled up with zeroes to whole blocks (crypto/ghash-generic.c).</summary>
internal sealed class Ghash : JoinedDigest
{
    private const int BlockSize = 16;

    private static readonly ulong[] _reductions = MakeReductions();

    // The key's products with all polynomials of degree below 4, the first coefficient in the highest bit, as everywhere here.
    private readonly SecretMemory _products = new(16 * BlockSize);

    /// <summary>Makes the hash.</summary>
    /// <exception cref="DmException">EINVAL: the key has not 16 bytes.</exception>
    public Ghash(ReadOnlySpan<byte> key)
    {
        if (key.Length != BlockSize)
        {
            _products.Dispose();
            throw new DmException(Errno.EINVAL, $"a key of ghash has {BlockSize} bytes, not {key.Length}");
        }

        UInt128 product = BinaryPrimitives.ReadUInt128BigEndian(key);
        for (int i = 8; i > 0; i /= 2)
        {
            Product(i) = product;
            product = (product >> 1) ^ ((product & 1) == 0 ? 0 : (UInt128)0xe1 << 120);
        }

        for (int i = 2; i < 16; i *= 2)
        {
            for (int j = 1; j < i; j++)
            {
                Product(i + j) = Product(i) ^ Product(j);
            }
        }
    }

    /// <inheritdoc/>
    public override int Size => BlockSize;

    /// <inheritdoc/>
    public override bool IsKeyed => true;

    /// <inheritdoc/>
    public override void Dispose() => _products.Dispose();

    /// <inheritdoc/>
    protected override void HashWhole(ReadOnlySpan<byte> bytes, Span<byte> digest)
    {
        Span<byte> block = stackalloc byte[BlockSize];
        UInt128 sum = 0;
        for (; !bytes.IsEmpty; bytes = bytes[Math.Min(BlockSize, bytes.Length)..])
        {
            block.Clear();
            bytes[..Math.Min(BlockSize, bytes.Length)].CopyTo(block);
            sum = Multiply(sum ^ BinaryPrimitives.ReadUInt128BigEndian(block));
        }

        BinaryPrimitives.WriteUInt128BigEndian(digest, sum);
    }

    private ref UInt128 Product(int of) => ref System.Runtime.InteropServices.MemoryMarshal.Cast<byte, UInt128>(_products.Span)[of];

    /// <summary>Multiplies by the key, four coefficients at a time from the last on.</summary>
    private UInt128 Multiply(UInt128 number)
    {
        ReadOnlySpan<UInt128> products = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, UInt128>(_products.Span);
        UInt128 product = 0;
        for (int shift = 0; shift < 128; shift += 4)
        {
            product = (product >> 4) ^ ((UInt128)_reductions[(int)product & 15] << 64) ^ products[(int)(number >> shift) & 15];
        }

        return product;
    }

    /// <summary>What four coefficients that are shifted out come back as, in the upper half.</summary>
    private static ulong[] MakeReductions()
    {
        ulong[] reductions = new ulong[16];
        for (int i = 0; i < 16; i++)
        {
            UInt128 number = (uint)i;
            for (int bit = 0; bit < 4; bit++)
            {
                number = (number >> 1) ^ ((number & 1) == 0 ? 0 : (UInt128)0xe1 << 120);
            }

            reductions[i] = (ulong)(number >> 64);
        }

        return reductions;
    }
}
