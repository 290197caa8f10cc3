using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DeviceMapper.Cryptography.Digests;

/// <summary>Cyclic redundancy checks, without inversion at either end; reflected but for T10-DIF's.</summary>
internal static class Crc
{
    private const uint Castagnoli = 0x82f63b78; // reflected
    private const int LongLane = 170; // words: three of them are nearly a block of 4 KiB
    private const int ShortLane = 21; // three are nearly a sector

    private const ushort T10Dif = 0x8bb7;
    private const ulong Rocksoft = 0x9a6c9329ac4bc9b5; // reflected

    private static readonly uint[] _table = MakeTable();
    private static readonly ushort[] _tableT10Dif = MakeTableT10Dif();
    private static readonly ulong[] _table64 = MakeTable64();
    private static readonly uint _longShift = ShiftBy(LongLane);
    private static readonly uint _shortShift = ShiftBy(ShortLane);

    /// <summary>Goes on with CRC-32C (Castagnoli), by the processor's instruction where it has one.</summary>
    public static uint Add32C(uint crc, ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        if (Sse42.X64.IsSupported && Pclmulqdq.IsSupported)
        {
            AddLanes(ref crc, ref words, LongLane, _longShift);
            AddLanes(ref crc, ref words, ShortLane, _shortShift);
        }

        foreach (ulong word in words)
        {
            crc = BitOperations.Crc32C(crc, word);
        }

        foreach (byte b in bytes[(bytes.Length / sizeof(ulong) * sizeof(ulong))..])
        {
            crc = BitOperations.Crc32C(crc, b);
        }

        return crc;
    }

    /// <summary>Goes on with CRC-32 (IEEE 802.3), eight bytes a step.</summary>
    public static uint Add32(uint crc, ReadOnlySpan<byte> bytes)
    {
        ref uint table = ref MemoryMarshal.GetArrayDataReference(_table);
        while (bytes.Length >= 8)
        {
            ulong word = MemoryMarshal.Read<ulong>(bytes) ^ crc;
            crc = 0;
            for (int i = 0; i < 8; i++)
            {
                crc ^= Unsafe.Add(ref table, ((7 - i) * 256) + (int)(byte)(word >> (8 * i)));
            }

            bytes = bytes[8..];
        }

        foreach (byte b in bytes)
        {
            crc = _table[(byte)(crc ^ b)] ^ (crc >> 8);
        }

        return crc;
    }

    /// <summary>Goes on with CRC-16/T10-DIF.</summary>
    public static ushort AddT10Dif(ushort crc, ReadOnlySpan<byte> bytes)
    {
        foreach (byte b in bytes)
        {
            crc = (ushort)((crc << 8) ^ _tableT10Dif[(byte)((crc >> 8) ^ b)]);
        }

        return crc;
    }

    /// <summary>Goes on with the CRC-64 of NVMe (Rocksoft).</summary>
    public static ulong Add64Rocksoft(ulong crc, ReadOnlySpan<byte> bytes)
    {
        foreach (byte b in bytes)
        {
            crc = (crc >> 8) ^ _table64[(byte)(crc ^ b)];
        }

        return crc;
    }

    /// <summary>
    /// Takes words in three lanes at once, since the instruction takes one word a cycle but has its result after three; and puts the lanes together by
    /// carry-less products (Gopal et al., "Fast CRC Computation for iSCSI Polynomial Using CRC32 Instruction", 2011).
    /// </summary>
    private static void AddLanes(ref uint crc, ref ReadOnlySpan<ulong> words, int lane, uint shift)
    {
        while (words.Length >= 3 * lane)
        {
            ref ulong word = ref MemoryMarshal.GetReference(words);
            ulong a = crc;
            ulong b = 0;
            ulong c = 0;
            for (int i = 0; i < lane; i++)
            {
                a = Sse42.X64.Crc32(a, Unsafe.Add(ref word, i));
                b = Sse42.X64.Crc32(b, Unsafe.Add(ref word, lane + i));
                c = Sse42.X64.Crc32(c, Unsafe.Add(ref word, (2 * lane) + i));
            }

            b ^= Shift(a, shift);
            crc = (uint)(c ^ Shift(b, shift));
            words = words[(3 * lane)..];
        }
    }

    private static ulong Shift(ulong crc, uint shift) => Sse42.X64.Crc32(
        0, Pclmulqdq.CarrylessMultiply(Vector128.CreateScalar(crc), Vector128.CreateScalar((ulong)shift), 0).ToScalar());

    /// <summary>x^(64 * words - 33) modulo the polynomial, reflected: a product of reflected numbers, and the instruction, have x^33 of their own.</summary>
    private static uint ShiftBy(int words)
    {
        uint power = 1u << 31;
        for (int i = 0; i < (64 * words) - 33; i++)
        {
            power = (power >> 1) ^ ((power & 1) * Castagnoli);
        }

        return power;
    }

    private static ushort[] MakeTableT10Dif()
    {
        ushort[] table = new ushort[256];
        for (int i = 0; i < table.Length; i++)
        {
            int crc = i << 8;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc << 1) ^ ((crc >> 15 & 1) * T10Dif);
            }

            table[i] = (ushort)crc;
        }

        return table;
    }

    private static ulong[] MakeTable64()
    {
        ulong[] table = new ulong[256];
        for (ulong i = 0; i < 256; i++)
        {
            ulong crc = i;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * Rocksoft);
            }

            table[i] = crc;
        }

        return table;
    }

    // Row k: what a byte comes to after k further bytes of zero.
    private static uint[] MakeTable()
    {
        uint[] table = new uint[8 * 256];
        for (uint i = 0; i < 256; i++)
        {
            uint crc = i;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0xedb88320);
            }

            table[i] = crc;
        }

        for (int i = 256; i < table.Length; i++)
        {
            table[i] = table[(byte)table[i - 256]] ^ (table[i - 256] >> 8);
        }

        return table;
    }
}
