using System.Globalization;

namespace Udm.Statistics;

/// <summary>In what sizes are written: libdm's <c>--units</c>.</summary>
/// <param name="Type">The letter; <c>h</c>, <c>H</c>, <c>r</c> and <c>R</c> choose a unit for each size, <c>U</c> is one of the user's own.</param>
/// <param name="Factor">Bytes of a unit.</param>
internal readonly record struct SizeUnit(char Type, ulong Factor)
{
    private const string Binary = "eptgmk"; // powers of 1024, the largest first
    private const string Decimal = "EPTGMK"; // powers of 1000

    /// <summary>Reads a unit: a letter, perhaps after a number of such units. What follows the letter does not matter, as in libdm.</summary>
    /// <returns>Null if it is none.</returns>
    public static SizeUnit? Parse(ReadOnlySpan<char> text)
    {
        int digits = NumberPrefix.Length(text, withFraction: true);
        double number = digits > 0 ? double.Parse(text[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture) : 1;
        ulong whole = digits > 0 ? NumberPrefix.UInt64(text) : 1;
        if (digits == text.Length)
        {
            return null;
        }

        char letter = text[digits];
        if (letter is 'h' or 'H' or 'r' or 'R')
        {
            return new SizeUnit(letter, 1);
        }

        if (BytesOf(letter) is not { } bytes)
        {
            return null;
        }

        ulong factor = number == whole ? whole * bytes : (ulong)(number * bytes);
        return factor == 0 ? null : new SizeUnit(whole == 1 ? letter : 'U', factor);
    }

    /// <summary>Reads a size of the command line: a number of sectors, or of a unit that follows.</summary>
    /// <returns>Bytes; null if no number is there.</returns>
    public static ulong? ParseSize(string text)
    {
        int digits = NumberPrefix.Length(text);
        if (digits == 0)
        {
            return null;
        }

        ulong number = NumberPrefix.UInt64(text);
        return digits == text.Length ? number * 512 : number * (Parse(text.AsSpan(digits))?.Factor ?? 1);
    }

    /// <summary>Writes a size. Only the units that are chosen for it are named.</summary>
    public string Write(ulong sectors)
    {
        if (sectors == 0)
        {
            return "0";
        }

        ulong bytes = unchecked(sectors * 512);
        if (Type is not ('h' or 'H' or 'r' or 'R'))
        {
            return char.ToUpperInvariant(Type) is 'B' or 'S' ? Fixed.Write((double)bytes / Factor, 0) : Fixed.Write((double)bytes / Factor, 2);
        }

        bool isDecimal = Type is 'H' or 'R';
        ulong thousand = isDecimal ? 1000UL : 1024UL;
        ulong unit = thousand * thousand * thousand * thousand * thousand * thousand;
        int step = 0;
        for (; step < Binary.Length && bytes < unit; step++)
        {
            unit /= thousand;
        }

        if (step == Binary.Length)
        {
            return $"{bytes}{(isDecimal ? 'B' : 'b')}";
        }

        double hundredths = 100.0 * bytes / unit;
        bool tellsOfRounding = Type is 'r' or 'R' && Math.Floor(hundredths) != Math.Round(hundredths);
        return $"{(tellsOfRounding ? "<" : "")}{Fixed.Write((double)bytes / unit, 2)}{(isDecimal ? Decimal : Binary)[step]}";
    }

    private static ulong? BytesOf(char letter)
    {
        if (letter is 'b' or 'B')
        {
            return 1;
        }

        if (letter is 's' or 'S')
        {
            return 512;
        }

        (int index, ulong thousand) = Binary.IndexOf(letter) is >= 0 and int binary ? (binary, 1024UL) : (Decimal.IndexOf(letter), 1000UL);
        if (index < 0)
        {
            return null;
        }

        ulong bytes = 1;
        for (int i = index; i < Binary.Length; i++)
        {
            bytes *= thousand;
        }

        return bytes;
    }
}
