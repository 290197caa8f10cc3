using System.Globalization;
using Udm.Verbs;

namespace Udm.Reports;

/// <summary>A table of values: columns chosen by their words, rows collected, then sorted and printed as libdm's reports are.</summary>
/// <typeparam name="T">What a row tells of.</typeparam>
internal sealed class Report<T>
{
    /// <summary>The group of columns that <c>all</c> does not mean.</summary>
    public const string SpecialGroup = "special";

    private readonly IReadOnlyList<Column<T>> _columns;
    private readonly IReadOnlyList<(Column<T> Column, bool Descending)> _keys;
    private readonly List<T> _rows = [];
    private readonly int[] _widths; // they only grow, so that repeated reports stay aligned

    /// <summary>Makes an empty report.</summary>
    /// <param name="known">All columns that there are.</param>
    /// <param name="fields">The words of those that are wanted, separated by commas.</param>
    /// <param name="keys">The words of those to sort by, each perhaps after + or -; empty: as rows come.</param>
    /// <exception cref="VerbException">A word is no column's.</exception>
    public Report(IReadOnlyList<Column<T>> known, string fields, string keys = "")
    {
        _columns = [.. Words(fields).SelectMany(word => Choose(known, word))];
        _widths = [.. _columns.Select(column => column.Width)];
        _keys = [.. Words(keys).SelectMany(word => Choose(known, word.TrimStart('+', '-')).Select(column => (column, word[0] == '-')))];
    }

    /// <summary>The columns that are printed or sorted by.</summary>
    public IEnumerable<Column<T>> Columns => _columns.Concat(_keys.Select(key => key.Column));

    /// <summary>Adds a row.</summary>
    public void Add(T row) => _rows.Add(row);

    /// <summary>Prints the rows, and forgets them; nothing, not even headings, where there are none.</summary>
    public void Write(TextWriter output, ReportFormat format)
    {
        if (_rows.Count == 0)
        {
            return;
        }

        string[][] values = [.. Sorted().Select(row => _columns.Select(column => column.Value(row)).ToArray())];
        IEnumerable<string> lines = format.ColumnsAsRows ? LinesOfColumns(values, format) : LinesOfRows(values, format);
        foreach (string line in lines)
        {
            output.WriteLine(line);
        }

        _rows.Clear();
    }

    /// <summary>Prints the rows as JSON, a list of objects with the columns' words as keys, and forgets them.</summary>
    public void WriteJson(TextWriter output, string name)
    {
        using JsonList json = new(output, name);
        foreach (T row in Sorted())
        {
            json.Writer.WriteStartObject();
            foreach (Column<T> column in _columns.DistinctBy(column => column.Id))
            {
                string value = column.Value(row);
                if (column.IsNumber && decimal.TryParse(value, NumberStyles.Number, CultureInfo.InvariantCulture, out decimal number))
                {
                    json.Writer.WriteNumber(column.Id, number);
                }
                else
                {
                    json.Writer.WriteString(column.Id, value);
                }
            }

            json.Writer.WriteEndObject();
        }

        _rows.Clear();
    }

    private IEnumerable<T> Sorted()
    {
        List<(T Row, Key[] Keys)> rows = [.. _rows.Select(row => (row, _keys.Select(key => Key.Of(key.Column, row)).ToArray()))];
        return _keys.Count == 0 ? _rows : rows.Order(Comparer<(T Row, Key[] Keys)>.Create((a, b) => Compare(a.Keys, b.Keys))).Select(row => row.Row);
    }

    private int Compare(Key[] a, Key[] b)
    {
        for (int i = 0; i < _keys.Count; i++)
        {
            int order = a[i].Number != b[i].Number ? a[i].Number.CompareTo(b[i].Number) : string.CompareOrdinal(a[i].Text, b[i].Text);
            if (order != 0)
            {
                return _keys[i].Descending ? -order : order;
            }
        }

        return 0;
    }

    private IEnumerable<string> LinesOfRows(string[][] values, ReportFormat format)
    {
        for (int i = 0; i < _widths.Length; i++)
        {
            _widths[i] = Math.Max(_widths[i], values.Max(row => row[i].Length));
        }

        if (format.Headings)
        {
            yield return string.Join(format.Separator, _columns.Select((column, i) => format.Aligned ? Fit(column.Heading, _widths[i]) : column.Heading));
        }

        foreach (string[] row in values)
        {
            yield return string.Join(format.Separator, _columns.Select((column, i) =>
                !format.Aligned ? Cell(column, row[i], format)
                : column.IsNumber ? row[i].PadLeft(_widths[i]) : row[i].PadRight(_widths[i])));
        }
    }

    private IEnumerable<string> LinesOfColumns(string[][] values, ReportFormat format) =>
        _columns.Select((column, i) =>
        {
            IEnumerable<string> cells = values.Select(row => Cell(column, row[i], format));
            return string.Join(format.Separator, format.Headings ? cells.Prepend(column.Heading) : cells);
        });

    private static string Cell(Column<T> column, string value, ReportFormat format)
    {
        string quote = format.Quoted ? "'" : "";
        return format.NamePrefix is null ? value : $"{format.NamePrefix}{column.Id.ToUpperInvariant()}={quote}{value}{quote}";
    }

    private static string Fit(string heading, int width) => heading.Length > width ? heading[..width] : heading.PadRight(width);

    // As libdm: commas may be doubled or lead, but not trail.
    private static IEnumerable<string> Words(string list)
    {
        string[] words = list.Split(',');
        return list.Length == 0 ? [] : words.Where((word, i) => word.Length > 0 || i == words.Length - 1);
    }

    private static IEnumerable<Column<T>> Choose(IReadOnlyList<Column<T>> known, string word)
    {
        string wanted = Canonical(word);
        Column<T>[] chosen = [.. known.Where(column => Canonical(column.Id) == wanted)];
        if (chosen.Length == 0)
        {
            chosen = [.. known.Where(column => column.Group != SpecialGroup && (wanted == "all" || wanted == Canonical(column.Group) + "all"))];
        }

        return chosen.Length > 0 ? chosen : throw new UsageException($"there is no column '{word}'; 'udm help --columns' lists them");
    }

    private static string Canonical(string word) => word.Replace("_", "", StringComparison.Ordinal).ToLowerInvariant();

    /// <summary>What a row is sorted by: a number or a text.</summary>
    private readonly record struct Key(decimal Number, string Text)
    {
        public static Key Of(Column<T> column, T row) =>
            column.Key is { } key ? new(key(row), "")
            : column.IsNumber ? new(long.Parse(column.Value(row), CultureInfo.InvariantCulture), "")
            : new(0, (column.ComparedText ?? column.Value)(row));
    }
}
