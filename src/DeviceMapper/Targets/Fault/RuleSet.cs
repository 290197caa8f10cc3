using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Fault;

/// <summary>The rules of a target, and how an I/O finds those that may be about it: by operation and by the part of the target.</summary>
internal sealed class RuleSet
{
    private const int Parts = 256; // of the target, each with its own list of rules
    private const int OperationCount = 6;

    private readonly Lock _lock = new(); // guards changes
    private readonly HashSet<string> _marks = [];
    private readonly ulong _partLength; // sectors
    private volatile Index _index = Index.Empty;
    private volatile IReadOnlyList<Rule> _rules = [];

    /// <summary>No rules yet.</summary>
    public RuleSet(SectorCount targetLength) => _partLength = (targetLength.Value / Parts) + 1;

    /// <summary>All rules, in the order of their definition.</summary>
    public IReadOnlyList<Rule> All => _rules;

    /// <summary>Whether none is in force.</summary>
    public bool IsEmpty => _index == Index.Empty;

    /// <summary>Adds a rule at the end, in place of one of the same name.</summary>
    /// <returns>The one that it replaces.</returns>
    public Rule? Set(Rule rule)
    {
        lock (_lock)
        {
            Rule? before = _rules.FirstOrDefault(r => r.Name == rule.Name);
            Change([.. _rules.Where(r => r != before), rule]);
            return before;
        }
    }

    /// <summary>Removes a rule.</summary>
    /// <exception cref="DmException">ENOENT.</exception>
    public Rule Remove(string name)
    {
        lock (_lock)
        {
            Rule rule = Find(name);
            Change([.. _rules.Where(r => r != rule)]);
            return rule;
        }
    }

    /// <summary>A rule.</summary>
    /// <exception cref="DmException">ENOENT.</exception>
    public Rule Find(string name) =>
        _rules.FirstOrDefault(r => r.Name == name) ?? throw new DmException(Errno.ENOENT, $"fault: there is no rule '{name}'");

    /// <summary>Puts a rule in force, or out of it.</summary>
    public void Enable(string name, bool enabled)
    {
        lock (_lock)
        {
            Find(name).IsEnabled = enabled;
            Change(_rules);
        }
    }

    /// <summary>From now on the rules that wait for a mark are in force.</summary>
    public void Mark(string name)
    {
        lock (_lock)
        {
            _marks.Add(name);
            Change(_rules);
        }
    }

    /// <summary>The rule that fires for an I/O: the first, in the order of their definition.</summary>
    /// <param name="operation">What the I/O does.</param>
    /// <param name="sector">Its first sector, counted from the target's.</param>
    /// <param name="count">Its sectors.</param>
    /// <param name="random">The numbers for what the rule does.</param>
    public Rule? Fire(BioOperation operation, ulong sector, SectorCount count, out SeededRandom random)
    {
        random = default;
        Index index = _index;
        if (index == Index.Empty)
        {
            return null;
        }

        ulong first = sector / _partLength;
        ulong last = count.Value == 0 ? first : (sector + count.Value - 1) / _partLength;
        Rule[] candidates = count.Value != 0 && first == last ? index.Of(operation, (int)first) : index.Of(operation);
        foreach (Rule rule in candidates)
        {
            if (rule.Covers(sector, count.Value) && rule.Fires(sector, count, out random))
            {
                return rule;
            }
        }

        return null;
    }

    private void Change(IReadOnlyList<Rule> rules)
    {
        _rules = rules;
        Rule[] inForce = [.. rules.Where(r => r.IsEnabled && !r.IsExhausted && (r.After is null || _marks.Contains(r.After)))];
        _index = inForce.Length == 0 ? Index.Empty : new Index(inForce, _partLength);
    }

    /// <summary>The rules in force.</summary>
    private sealed class Index
    {
        public static readonly Index Empty = new([], 1);

        private readonly Rule[][] _all = new Rule[OperationCount][];
        private readonly Rule[][][] _byPart = new Rule[OperationCount][][];

        public Index(Rule[] rules, ulong partLength)
        {
            for (int operation = 0; operation < OperationCount; operation++)
            {
                Rule[] of = [.. rules.Where(r => r.Operations.Contains((BioOperation)operation))];
                _all[operation] = of;
                _byPart[operation] = new Rule[Parts][];
                for (int part = 0; part < Parts; part++)
                {
                    _byPart[operation][part] = of.Length == 0 ? of : [.. of.Where(r => r.Covers((ulong)part * partLength, partLength))];
                }
            }
        }

        public Rule[] Of(BioOperation operation) => _all[(int)operation];

        public Rule[] Of(BioOperation operation, int part) => _byPart[(int)operation][part];
    }
}
