using System.Text;

namespace Core;

/// <summary>Figures beside their goals, as a table of Markdown.</summary>
internal sealed class Report
{
    private readonly StringBuilder _rows = new("| what | figure | goal | met |\n|---|---:|---:|---|\n");

    /// <summary>A figure without a goal.</summary>
    public void Add(string what, double figure, string unit) => _rows.Append($"| {what} | {Show(figure, unit)} | | |\n");

    /// <summary>A figure, and the most that it may be.</summary>
    public void Add(string what, double figure, string unit, double goal) =>
        _rows.Append($"| {what} | {Show(figure, unit)} | ≤ {Show(goal, unit)} | {(figure <= goal ? "yes" : "**no**")} |\n");

    /// <inheritdoc/>
    public override string ToString() => _rows.ToString();

    private static string Show(double figure, string unit) => $"{figure:0.##} {unit}".TrimEnd();
}
