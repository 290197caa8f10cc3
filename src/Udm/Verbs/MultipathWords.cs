using System.Globalization;
using DeviceMapper.Mapping;

namespace Udm.Verbs;

/// <summary>The arguments of a multipath target, word by word, so that paths can be added and taken out.</summary>
internal sealed class MultipathWords
{
    private readonly List<string> _head = []; // features and hardware handler, with their counts
    private readonly List<Group> _groups = [];
    private int _first;

    private MultipathWords()
    {
    }

    /// <summary>The devices of all paths, as the table names them.</summary>
    public IEnumerable<string> Paths => _groups.SelectMany(g => g.Paths).Select(p => p[0]);

    /// <summary>Takes the arguments apart, as the daemon prints them.</summary>
    public static MultipathWords Parse(string arguments)
    {
        MultipathWords table = new();
        Queue<string> words = new(TableParser.SplitWords(arguments));
        table._head.AddRange([.. Counted(words), .. Counted(words)]);
        int groups = Number(words);
        table._first = Number(words);
        for (int i = 0; i < groups; i++)
        {
            Group group = new(words.Dequeue(), Counted(words));
            int paths = Number(words);
            int pathWords = Number(words);
            for (int p = 0; p < paths; p++)
            {
                group.Paths.Add(Take(words, 1 + pathWords));
            }

            table._groups.Add(group);
        }

        return table;
    }

    /// <summary>Adds a path, with the words of the group's first path.</summary>
    /// <param name="device">Its device.</param>
    /// <param name="number">The group, from 1; null for the one that is used.</param>
    /// <exception cref="VerbException">There is no such group, it has the path already, or its paths have words that no two may share.</exception>
    public void Add(string device, int? number)
    {
        int group = number ?? _first;
        if (_groups.Count == 0 && number is null or 1)
        {
            _groups.Add(new Group("round-robin", ["0"]));
            group = _first = 1;
        }

        if (group < 1 || group > _groups.Count)
        {
            throw new VerbException($"there is no group {group}: {(_groups.Count == 0 ? "none" : $"1 to {_groups.Count}")}");
        }

        if (_groups[group - 1].Selector == "io-affinity")
        {
            throw new VerbException("a path of io-affinity needs processors of its own: load a table that says which");
        }

        List<List<string>> paths = _groups[group - 1].Paths;
        if (paths.Exists(p => p[0] == device))
        {
            throw new VerbException($"'{device}' is a path of group {group} already");
        }

        paths.Add([device, .. paths.Count > 0 ? paths[0].Skip(1) : ["1"]]);
    }

    /// <summary>Takes a path out of all groups that have it; a group without paths goes too.</summary>
    /// <exception cref="VerbException">There is no such path.</exception>
    public void Remove(string device)
    {
        if (_groups.Sum(g => g.Paths.RemoveAll(p => p[0] == device)) == 0)
        {
            throw new VerbException($"'{device}' is not one of its paths: {(Paths.Any() ? string.Join(", ", Paths.Distinct()) : "it has none")}");
        }

        _groups.RemoveAll(g => g.Paths.Count == 0);
        _first = Math.Min(Math.Max(_first, 1), _groups.Count);
    }

    /// <summary>The arguments again.</summary>
    public override string ToString()
    {
        List<string> words = [.. _head, Text(_groups.Count), Text(_first)];
        foreach (Group group in _groups)
        {
            words.AddRange([group.Selector, .. group.SelectorWords, Text(group.Paths.Count), Text(group.Paths[0].Count - 1)]);
            words.AddRange(group.Paths.SelectMany(p => p));
        }

        return string.Join(' ', words.Select(TableParser.EscapeWord));
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static int Number(Queue<string> words) => int.Parse(words.Dequeue(), CultureInfo.InvariantCulture);

    private static List<string> Take(Queue<string> words, int count) => [.. Enumerable.Range(0, count).Select(_ => words.Dequeue())];

    private static List<string> Counted(Queue<string> words)
    {
        int count = Number(words);
        return [Text(count), .. Take(words, count)];
    }

    private sealed record Group(string Selector, List<string> SelectorWords)
    {
        public List<List<string>> Paths { get; } = []; // the device, then its words
    }
}
