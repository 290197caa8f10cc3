using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using DeviceMapper.Io;
using Udm.Statistics;
using Udm.Verbs;

namespace Udm.Reports;

/// <summary>
/// Which rows of a report are wanted (<c>-S</c>), in libdm's language: comparisons of columns, joined by <c>&amp;&amp;</c> or a comma, by <c>||</c> or
/// <c>#</c>, and by parentheses, before which a <c>!</c> negates.
/// </summary>
/// <typeparam name="T">What a row tells of.</typeparam>
internal sealed class Selection<T>
{
    // In the order in which libdm looks for them: the first that fits is meant, so '==' is '=' and a value that begins with '='.
    private static readonly string[] Operators = ["=~", "!~", "=", "!=", ">=", ">", "<=", "<"];

    private readonly IReadOnlyList<Column<T>> _columns;
    private readonly List<Column<T>> _compared = [];
    private readonly string _text;
    private readonly Func<T, bool> _matches;
    private int _at;

    private Selection(IReadOnlyList<Column<T>> columns, string text)
    {
        _columns = columns;
        _text = text;
        _matches = text.Length == 0 ? _ => true : Any().Matches;
        SkipBlanks();
        if (_at < text.Length)
        {
            throw Wrong("&& or || expected");
        }
    }

    /// <summary>Reads a selection; an empty one selects all.</summary>
    /// <exception cref="UsageException">It is malformed; the sentence says where.</exception>
    public static Selection<T> Parse(IReadOnlyList<Column<T>> columns, string text) => new(columns, text);

    /// <summary>The columns that it compares.</summary>
    public IEnumerable<Column<T>> Columns => _compared;

    /// <summary>Whether a row is wanted.</summary>
    public bool Matches(T row) => _matches(row);

    private Node Any()
    {
        Node first = All();
        return TakesOne("||", "#") && Any() is var rest ? new Node(row => first.Matches(row) || rest.Matches(row)) : first;
    }

    private Node All()
    {
        Node first = One();
        return TakesOne("&&", ",") && All() is var rest ? new Node(row => first.Matches(row) && rest.Matches(row)) : first;
    }

    private Node One()
    {
        bool negated = TakesOne("!");
        if (!TakesOne("("))
        {
            return negated ? throw Wrong("a parenthesis expected after !") : new Node(Comparison());
        }

        Node inner = Any();
        if (!TakesOne(")"))
        {
            throw Wrong("a closing parenthesis expected");
        }

        return negated && !inner.IsNegated ? new Node(row => !inner.Matches(row), IsNegated: true) : inner;
    }

    private Func<T, bool> Comparison()
    {
        int start = _at;
        while (_at < _text.Length && (char.IsAsciiLetterOrDigit(_text[_at]) || _text[_at] is '_' or '-'))
        {
            _at++;
        }

        string word = _text[start.._at];
        if (word.Length == 0)
        {
            throw Wrong("the name of a column expected");
        }

        Column<T> column = _columns.FirstOrDefault(known => Canonical(known.Id) == Canonical(word))
            ?? throw new UsageException($"--select: there is no column '{word}'; 'udm help --columns' lists them");
        _compared.Add(column);
        SkipBlanks();
        string sign = Array.Find(Operators, sign => string.CompareOrdinal(_text, _at, sign, 0, sign.Length) == 0)
            ?? throw Wrong($"one of {string.Join(' ', Operators)} expected");
        _at += sign.Length;
        SkipBlanks();
        return sign is "=~" or "!~" ? Pattern(column, sign == "=~") : column.IsNumber ? Number(column, sign) : Text(column, sign);
    }

    private Func<T, bool> Pattern(Column<T> column, bool matches)
    {
        if (column.IsNumber)
        {
            throw Wrong($"'{column.Id}' is a number, which no regular expression fits");
        }

        string pattern = Value("\"\"''(){}[]");
        if (pattern.Length == 0)
        {
            throw Wrong("a regular expression expected");
        }

        try
        {
            Regex regex = new(Translate(pattern), RegexOptions.CultureInvariant | RegexOptions.NonBacktracking); // as libdm's: no pattern takes long
            Func<T, string> value = column.ComparedText ?? column.Value;
            return row => regex.IsMatch(value(row)) == matches;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw Wrong($"'{pattern}' is no regular expression: {e.Message}");
        }
    }

    private Func<T, bool> Number(Column<T> column, string sign)
    {
        int start = _at;
        while (_at < _text.Length && (char.IsAsciiDigit(_text[_at]) || _text[_at] == '.'))
        {
            _at++;
        }

        string text = _text[start.._at];
        if (!decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal wanted) || wanted > ulong.MaxValue)
        {
            throw Wrong($"'{column.Id}' is a number, and is compared with one");
        }

        if (column.IsSize)
        {
            return Size(column, sign, (double)wanted);
        }

        return row => Holds(sign, (column.Key is { } key ? key(row) : decimal.Parse(column.Value(row), CultureInfo.InvariantCulture)).CompareTo(wanted));
    }

    /// <summary>A size has a unit, or is in MiB.</summary>
    private Func<T, bool> Size(Column<T> column, string sign, double wanted)
    {
        double unit = 1 << 20;
        if (_at < _text.Length && SizeUnit.Parse(_text.AsSpan(_at, 1)) is { } asked)
        {
            unit = asked.Factor;
            _at++;
        }

        double sectors = wanted * unit / Sector.Size;
        return row => Holds(sign, BitConverter.UInt64BitsToDouble(column.Key!(row)).CompareTo(sectors));
    }

    private static bool Holds(string sign, int order) =>
        sign switch { "=" => order == 0, "!=" => order != 0, ">=" => order >= 0, ">" => order > 0, "<=" => order <= 0, _ => order < 0 };

    private Func<T, bool> Text(Column<T> column, string sign)
    {
        if (sign is not ("=" or "!="))
        {
            throw Wrong($"'{column.Id}' is a text, for which there are = != =~ and !~ only");
        }

        string wanted = Value("\"\"''");
        Func<T, string> value = column.ComparedText ?? column.Value;
        return row => (value(row) == wanted) == (sign == "=");
    }

    /// <summary>A value: up to the other of two delimiters where it begins with the first, else up to a blank or what joins.</summary>
    private string Value(string delimiters)
    {
        int pair = _at < _text.Length ? delimiters.IndexOf(_text[_at]) : -1;
        int start = _at;
        if (pair >= 0 && pair % 2 == 0)
        {
            int end = _text.IndexOf(delimiters[pair + 1], _at + 1);
            if (end < 0)
            {
                throw Wrong($"{delimiters[pair + 1]} is missing");
            }

            _at = end + 1;
            return _text[(start + 1)..end];
        }

        while (_at < _text.Length && !char.IsWhiteSpace(_text[_at]) && !",#()".Contains(_text[_at]) && !Joins(_at))
        {
            _at++;
        }

        return _text[start.._at];
    }

    private bool Joins(int at) => string.CompareOrdinal(_text, at, "&&", 0, 2) == 0 || string.CompareOrdinal(_text, at, "||", 0, 2) == 0;

    private bool TakesOne(params ReadOnlySpan<string> words)
    {
        SkipBlanks();
        foreach (string word in words)
        {
            if (string.CompareOrdinal(_text, _at, word, 0, word.Length) == 0)
            {
                _at += word.Length;
                SkipBlanks();
                return true;
            }
        }

        return false;
    }

    private void SkipBlanks()
    {
        while (_at < _text.Length && char.IsWhiteSpace(_text[_at]))
        {
            _at++;
        }
    }

    // libdm has no repetitions in braces and no classes by letter: a backslash takes the next character literally.
    private static string Translate(string pattern)
    {
        StringBuilder text = new();
        for (int i = 0; i < pattern.Length; i++)
        {
            text.Append(pattern[i] switch
            {
                '\\' when i + 1 < pattern.Length => Regex.Escape(pattern[++i].ToString()),
                '{' or '}' => $"\\{pattern[i]}",
                _ => pattern[i].ToString(),
            });
        }

        return text.ToString();
    }

    private static string Canonical(string word) => word.Replace("_", "", StringComparison.Ordinal).ToLowerInvariant();

    private UsageException Wrong(string reason) => new($"--select: '{_text}', character {_at + 1}: {reason}");

    /// <summary>A part of a selection. That it is negated is a mark of it in libdm, so a <c>!</c> before it, in parentheses, changes nothing.</summary>
    private sealed record Node(Func<T, bool> Matches, bool IsNegated = false);
}
