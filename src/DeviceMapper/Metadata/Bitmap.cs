using System.Buffers.Binary;
using System.Numerics;

namespace DeviceMapper.Metadata;

/// <summary>
/// A block of counts of two bits each: 0, 1, 2, or 3 for more than 2, which a btree has. Behind a header of 16 bytes (checksum, unused, own
/// number); of the two bits of a count the higher one comes first (the kernel's <c>sm_lookup_bitmap</c>).
/// </summary>
internal readonly ref struct Bitmap(Span<byte> data)
{
    /// <summary>How many blocks a bitmap counts.</summary>
    public const int Entries = (BlockKind.Size - HeaderLength) * 4;

    /// <summary>What stands for counts above 2.</summary>
    public const int Many = 3;

    private const int HeaderLength = 16;
    private const int EntriesPerWord = 32;

    private readonly Span<byte> _words = data[HeaderLength..];

    /// <summary>A count.</summary>
    public int this[int index]
    {
        get
        {
            int bits = (_words[index >> 2] >> ((index & 3) * 2)) & 3;
            return ((bits & 1) << 1) | (bits >> 1);
        }

        set
        {
            int shift = (index & 3) * 2;
            int bits = ((value & 1) << 1) | (value >> 1);
            _words[index >> 2] = (byte)((_words[index >> 2] & ~(3 << shift)) | (bits << shift));
        }
    }

    /// <summary>The first count of 0 from an index on, below another; -1 if there is none.</summary>
    public int FindFree(int from, int end)
    {
        for (int at = from; at < end;)
        {
            int word = at / EntriesPerWord;
            ulong bits = BinaryPrimitives.ReadUInt64LittleEndian(_words[(word * sizeof(ulong))..]);
            ulong used = (bits | (bits >> 1)) & 0x5555555555555555; // a bit for each count that is not 0
            ulong free = ~used & 0x5555555555555555 & (ulong.MaxValue << ((at % EntriesPerWord) * 2));
            if (free != 0)
            {
                int found = (word * EntriesPerWord) + (BitOperations.TrailingZeroCount(free) / 2);
                return found < end ? found : -1;
            }

            at = (word + 1) * EntriesPerWord;
        }

        return -1;
    }
}
