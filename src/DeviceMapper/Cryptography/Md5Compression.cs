using System.Buffers.Binary;
using System.Numerics;

namespace DeviceMapper.Cryptography;

/// <summary>MD5 (RFC 1321) without its padding, as loop-AES uses it: whole blocks in, the inner state out.</summary>
internal struct Md5Compression
{
    /// <summary>Bytes of a block.</summary>
    public const int BlockSize = 64;

    private uint _a = 0x67452301;
    private uint _b = 0xefcdab89;
    private uint _c = 0x98badcfe;
    private uint _d = 0x10325476;

    public Md5Compression()
    {
    }

    private static ReadOnlySpan<int> Shifts => [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];

    private static readonly uint[] _sines = [.. Enumerable.Range(1, 64).Select(i => (uint)(long)(Math.Abs(Math.Sin(i)) * 4294967296.0))];

    /// <summary>Takes whole blocks.</summary>
    public void Add(ReadOnlySpan<byte> blocks)
    {
        for (; blocks.Length >= BlockSize; blocks = blocks[BlockSize..])
        {
            AddBlock(blocks);
        }
    }

    /// <summary>Writes the state, 16 bytes.</summary>
    public readonly void CopyTo(Span<byte> state)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(state, _a);
        BinaryPrimitives.WriteUInt32LittleEndian(state[4..], _b);
        BinaryPrimitives.WriteUInt32LittleEndian(state[8..], _c);
        BinaryPrimitives.WriteUInt32LittleEndian(state[12..], _d);
    }

    private void AddBlock(ReadOnlySpan<byte> block)
    {
        (uint a, uint b, uint c, uint d) = (_a, _b, _c, _d);
        for (int i = 0; i < 64; i++)
        {
            (uint mixed, int word) = (i >> 4) switch
            {
                0 => ((b & c) | (~b & d), i),
                1 => ((d & b) | (~d & c), (5 * i) + 1),
                2 => (b ^ c ^ d, (3 * i) + 5),
                _ => (c ^ (b | ~d), 7 * i),
            };
            uint sum = a + mixed + _sines[i] + BinaryPrimitives.ReadUInt32LittleEndian(block[((word & 15) * 4)..]);
            (a, d, c, b) = (d, c, b, b + BitOperations.RotateLeft(sum, Shifts[((i >> 4) * 4) + (i & 3)]));
        }

        _a += a;
        _b += b;
        _c += c;
        _d += d;
    }
}
