namespace Udm.Statistics;

/// <summary>A share in millionths of a percent: what libdm computes with, and rounds by (<c>dm_percent_t</c>).</summary>
/// <param name="Millionths">0 to 100,000,000.</param>
internal readonly record struct Percentage(int Millionths)
{
    private const int One = 1_000_000;
    private const int Hundred = 100 * One;

    /// <summary>A part of a whole. Only nothing is 0, only all is 100 %.</summary>
    public static Percentage Of(ulong part, ulong whole)
    {
        if (part == 0 && whole != 0)
        {
            return default;
        }

        return new Percentage(whole == 0 || part == whole ? Hundred : Math.Clamp((int)(Hundred * ((double)part / whole)), 1, Hundred - 1));
    }

    /// <summary>In percent.</summary>
    public float Value => (float)Millionths / One;

    /// <summary>In percent, with two decimals: what is more than nothing is not shown as 0.00, what is less than all not as 100.00.</summary>
    public string Text => Fixed.Write(Millionths is > 0 and < One / 100 ? 0.01f : Millionths is > Hundred - One / 100 and < Hundred ? 99.99f : Value, 2);
}
