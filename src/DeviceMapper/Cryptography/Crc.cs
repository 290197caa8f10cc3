using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DeviceMapper.Cryptography;

/// <summary>Cyclic redundancy checks, reflected, without inversion at either end.</summary>
internal static class Crc
{
    private static readonly uint[] _table = MakeTable();

    /// <summary>Goes on with CRC-32C (Castagnoli), by the processor's instruction where it has one.</summary>
    public static uint Add32C(uint crc, ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (ulong word in words)
        {
            crc = BitOperations.Crc32C(crc, word);
        }

        foreach (byte b in bytes[(words.Length * sizeof(ulong))..])
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
