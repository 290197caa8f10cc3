namespace Udm.Verbs;

/// <summary>
/// The words of a command line, read as dmsetup's <c>getopt_long</c> reads them: options anywhere, letters bundled (<c>-vn</c>), values joined
/// (<c>-uID</c>, <c>--uuid=ID</c>) or apart, long forms shortened as long as they stay unambiguous, <c>--</c> ends the options.
/// </summary>
internal sealed class CommandLine
{
    private readonly int[] _counts = new int[(int)Option.Yes + 1];
    private readonly string?[] _values = new string?[(int)Option.Yes + 1];
    private readonly List<(Option Option, string Value)> _allValues = [];
    private readonly List<string> _words = [];

    private CommandLine()
    {
    }

    /// <summary>The verb: the first word that is no option; null without one.</summary>
    public string? Verb => _words.Count > 0 ? _words[0] : null;

    /// <summary>The words after the verb that are no options.</summary>
    public IReadOnlyList<string> Operands => _words.Count > 1 ? _words[1..] : [];

    /// <summary>What is wrong with the options; null when all is well.</summary>
    public string? Problem { get; private set; }

    /// <summary>
    /// What is meant by a command line when the program was called by a link with the name of one of dmsetup's other selves: <c>dmstats</c> is
    /// <c>udm stats</c>, and <c>devmap_name MAJOR:MINOR</c> or <c>devmap_name MAJOR MINOR</c> prints a device's name.
    /// </summary>
    public static IReadOnlyList<string> Meant(string program, IReadOnlyList<string> arguments) => Path.GetFileName(program) switch
    {
        "dmstats" => ["stats", .. arguments],
        "devmap_name" => arguments.Count == 1 && arguments[0].Split(':') is [var major, var minor] ? NameOf(major, minor)
            : arguments.Count == 2 ? NameOf(arguments[0], arguments[1])
            : ["info", "--major"], // without a value it is wrong usage
        _ => arguments,
    };

    private static string[] NameOf(string major, string minor) =>
        ["info", "--columns", "--noheadings", "--options=name", $"--major={major}", $"--minor={minor}"];

    /// <summary>Reads a command line. A wrong option is noted in <see cref="Problem"/>, and the rest is read, since the verb may still follow.</summary>
    public static CommandLine Parse(IReadOnlyList<string> arguments)
    {
        CommandLine line = new();
        for (int i = 0; i < arguments.Count; i++)
        {
            string word = arguments[i];
            if (word == "--")
            {
                line._words.AddRange(arguments.Skip(i + 1));
                break;
            }

            if (word.StartsWith("--", StringComparison.Ordinal))
            {
                line.ReadLong(word[2..], arguments, ref i);
            }
            else if (word.Length > 1 && word[0] == '-')
            {
                line.ReadLetters(word, arguments, ref i);
            }
            else
            {
                line._words.Add(word);
                if (line._words is ["run", _])
                {
                    line._words.AddRange(arguments.Skip(i + 1)); // the command's own options
                    break;
                }
            }
        }

        return line;
    }

    /// <summary>Whether an option was given.</summary>
    public bool Has(Option option) => _counts[(int)option] > 0;

    /// <summary>How often an option was given.</summary>
    public int Count(Option option) => _counts[(int)option];

    /// <summary>The value that an option was given last; null when it was not given.</summary>
    public string? Value(Option option) => _values[(int)option];

    /// <summary>All values that an option was given, in order.</summary>
    public IReadOnlyList<string> Values(Option option) => [.. _allValues.Where(given => given.Option == option).Select(given => given.Value)];

    private void ReadLong(string word, IReadOnlyList<string> arguments, ref int i)
    {
        int equals = word.IndexOf('=');
        string name = equals < 0 ? word : word[..equals];
        OptionForm[] matches = [.. OptionForm.All.Where(form => form.Name.StartsWith(name, StringComparison.Ordinal))];
        if (matches.Length > 1 && matches.Any(form => form.Name == name))
        {
            matches = [.. matches.Where(form => form.Name == name)];
        }

        if (matches.Length != 1)
        {
            Problem ??= matches.Length == 0
                ? $"unknown option --{name}"
                : $"option --{name} is ambiguous: {string.Join(", ", matches.Select(form => "--" + form.Name))}";
            return;
        }

        if (equals >= 0 && !matches[0].TakesValue)
        {
            Problem ??= $"option --{matches[0].Name} takes no value";
            return;
        }

        Add(matches[0], equals >= 0 ? word[(equals + 1)..] : null, "--" + matches[0].Name, arguments, ref i);
    }

    private void ReadLetters(string word, IReadOnlyList<string> arguments, ref int i)
    {
        for (int at = 1; at < word.Length; at++)
        {
            char letter = word[at];
            int found = Array.FindIndex(OptionForm.All, form => form.Letters.Contains(letter, StringComparison.Ordinal));
            if (found < 0)
            {
                Problem ??= $"unknown option -{letter}";
                return;
            }

            OptionForm form = OptionForm.All[found];
            string? joined = form.TakesValue && at + 1 < word.Length ? word[(at + 1)..] : null;
            Add(form, joined, "-" + letter, arguments, ref i);
            if (form.TakesValue)
            {
                return;
            }
        }
    }

    private void Add(OptionForm form, string? value, string written, IReadOnlyList<string> arguments, ref int i)
    {
        if (form.TakesValue && value is null)
        {
            if (i + 1 == arguments.Count)
            {
                Problem ??= $"option {written} needs a value";
                return;
            }

            value = arguments[++i];
        }

        _counts[(int)form.Option]++;
        _values[(int)form.Option] = value;
        if (value is not null)
        {
            _allValues.Add((form.Option, value));
        }
    }
}
