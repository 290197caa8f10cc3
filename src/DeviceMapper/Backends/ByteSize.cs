using System.Globalization;
using DeviceMapper.Io;

namespace DeviceMapper.Backends;

/// <summary>Sizes as tables write them: bytes, or with a suffix K, M, G or T, powers of 1024.</summary>
internal static class ByteSize
{
    /// <summary>What is expected, for sentences.</summary>
    public const string Expected = "a size: bytes, a multiple of 512, or a number with K, M, G or T";

    private const string Suffixes = "KMGT";

    /// <summary>Reads a size; it is positive, and less than 2^63 bytes.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out SectorCount size)
    {
        size = default;
        int shift = 0;
        if (text.Length > 0 && Suffixes.IndexOf(char.ToUpperInvariant(text[^1])) is int power and >= 0)
        {
            shift = 10 * (power + 1);
            text = text[..^1];
        }

        if (!ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number)
            || number == 0
            || number > (ulong)long.MaxValue >> shift
            || ((number << shift) % Sector.Size) != 0)
        {
            return false;
        }

        size = SectorCount.FromBytes(number << shift);
        return true;
    }

    /// <summary>The shortest form, for sentences and names.</summary>
    public static string Format(SectorCount size)
    {
        ulong bytes = size.Bytes;
        int power = -1;
        while (power < Suffixes.Length - 1 && bytes % 1024 == 0 && bytes > 0)
        {
            bytes /= 1024;
            power++;
        }

        return power < 0 ? $"{bytes}" : $"{bytes}{Suffixes[power]}";
    }
}
