using System.Buffers.Binary;

namespace DeviceMapper.Cryptography.Digests;

/// <summary>The polynomial hash of Poly1305 (RFC 8439, 2.5) on whole blocks, without the addition at its end.</summary>
internal struct Poly1305
{
    /// <summary>Bytes of a block, of the key and of the result.</summary>
    public const int BlockSize = 16;

    private readonly ulong _r0;
    private readonly ulong _r1;
    private ulong _h0;
    private ulong _h1;
    private ulong _h2;

    /// <summary>Starts with a key, of which the bits that Poly1305 does not use are cleared.</summary>
    public Poly1305(ReadOnlySpan<byte> key)
    {
        _r0 = BinaryPrimitives.ReadUInt64LittleEndian(key) & 0x0ffffffc0fffffff;
        _r1 = BinaryPrimitives.ReadUInt64LittleEndian(key[8..]) & 0x0ffffffc0ffffffc;
    }

    /// <summary>Takes whole blocks.</summary>
    public void Add(ReadOnlySpan<byte> blocks) => Add(blocks, 1);

    /// <summary>Takes what there is, once: a last block that is not whole ends with a 1.</summary>
    public void AddAll(ReadOnlySpan<byte> bytes)
    {
        Add(bytes);
        ReadOnlySpan<byte> rest = bytes[(bytes.Length & -BlockSize)..];
        if (!rest.IsEmpty)
        {
            Span<byte> last = stackalloc byte[BlockSize];
            last.Clear();
            rest.CopyTo(last);
            last[rest.Length] = 1;
            Add(last, 0);
        }
    }

    /// <summary>Takes whole blocks, with a bit above each of them.</summary>
    private void Add(ReadOnlySpan<byte> blocks, ulong above)
    {
        ulong s1 = _r1 + (_r1 >> 2); // 5/4 of it: what lies beyond 2^130 comes back times 5
        for (; blocks.Length >= BlockSize; blocks = blocks[BlockSize..])
        {
            UInt128 low = (UInt128)_h0 + BinaryPrimitives.ReadUInt64LittleEndian(blocks);
            UInt128 high = (UInt128)_h1 + BinaryPrimitives.ReadUInt64LittleEndian(blocks[8..]) + (ulong)(low >> 64);
            ulong h0 = (ulong)low;
            ulong h1 = (ulong)high;
            ulong h2 = _h2 + (ulong)(high >> 64) + above;

            low = (Multiply(h0, _r0)) + Multiply(h1, s1);
            high = Multiply(h0, _r1) + Multiply(h1, _r0) + (h2 * s1) + (ulong)(low >> 64);
            h2 = (h2 * _r0) + (ulong)(high >> 64);

            ulong carry = (h2 >> 2) + (h2 & ~3ul);
            low = (UInt128)(ulong)low + carry;
            high = (UInt128)(ulong)high + (ulong)(low >> 64);
            _h0 = (ulong)low;
            _h1 = (ulong)high;
            _h2 = (h2 & 3) + (ulong)(high >> 64);
        }
    }

    /// <summary>The hash, modulo 2^130 - 5 and then modulo 2^128.</summary>
    public readonly UInt128 Finish()
    {
        UInt128 low = (UInt128)_h0 + 5;
        UInt128 high = (UInt128)_h1 + (ulong)(low >> 64);
        bool reduce = (_h2 + (ulong)(high >> 64)) >> 2 != 0;
        return reduce ? new UInt128((ulong)high, (ulong)low) : new UInt128(_h1, _h0);
    }

    private static UInt128 Multiply(ulong a, ulong b)
    {
        ulong high = Math.BigMul(a, b, out ulong low);
        return new UInt128(high, low);
    }
}
