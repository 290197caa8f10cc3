using Udm.Verbs;

namespace Udm.Reports;

/// <summary>How a report is laid out.</summary>
internal sealed record ReportFormat
{
    /// <summary>What stands between values.</summary>
    public string Separator { get; init; } = " ";

    /// <summary>Whether values are padded to the width of their column.</summary>
    public bool Aligned { get; init; } = true;

    /// <summary>Whether the headings are printed.</summary>
    public bool Headings { get; init; } = true;

    /// <summary>Put before each value with its column's word in capitals, as <c>DM_NAME='x'</c>; null: values stand alone.</summary>
    public string? NamePrefix { get; init; }

    /// <summary>Whether values with names have quotes.</summary>
    public bool Quoted { get; init; } = true;

    /// <summary>Whether a column is a line.</summary>
    public bool ColumnsAsRows { get; init; }

    /// <summary>What dmsetup makes of its options.</summary>
    public static ReportFormat From(CommandLine options)
    {
        bool headings = !options.Has(Option.NoHeadings);
        string? separator = options.Value(Option.Separator);
        return new ReportFormat
        {
            Separator = separator ?? (headings ? " " : ":"),
            Aligned = headings && separator is null && !options.Has(Option.NamePrefixes) && !options.Has(Option.Rows),
            Headings = headings,
            NamePrefix = options.Has(Option.NamePrefixes) ? "DM_" : null,
            Quoted = !options.Has(Option.Unquoted),
            ColumnsAsRows = options.Has(Option.Rows),
        };
    }
}
