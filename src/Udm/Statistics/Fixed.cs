using System.Globalization;

namespace Udm.Statistics;

/// <summary>Numbers with a fixed count of decimals, as C's <c>printf</c> writes them.</summary>
internal static class Fixed
{
    /// <summary>Writes a number. One that is exactly between two goes to the even one, where .NET goes up: with two decimals these are odd eighths.</summary>
    /// <param name="value">Not negative.</param>
    /// <param name="decimals">At most 2.</param>
    public static string Write(double value, int decimals)
    {
        double eighths = value * 8;
        bool isTie = decimals == 2 ? eighths % 2 == 1 : eighths % 8 == 4;
        return isTie && value < 1e15
            ? Math.Round((decimal)value, decimals, MidpointRounding.ToEven).ToString($"F{decimals}", CultureInfo.InvariantCulture)
            : value.ToString($"F{decimals}", CultureInfo.InvariantCulture);
    }
}
