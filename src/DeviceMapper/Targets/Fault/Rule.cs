using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Fault;

/// <summary>
/// A rule: which I/O, when, and what happens to it. In a table it is one word, <c>NAME:FIELD:FIELD...</c>; in a message its fields may be words
/// of their own.
/// </summary>
internal sealed class Rule
{
    private static readonly (string Word, BioOperation Operation)[] _operations =
    [
        ("read", BioOperation.Read), ("write", BioOperation.Write), ("flush", BioOperation.Flush), ("discard", BioOperation.Discard), ("zeroes", BioOperation.WriteZeroes),
    ];

    private readonly SeededRandom _random;
    private readonly Trigger _trigger = Trigger.Always();
    private readonly HashSet<BioOperation> _of = [];
    private readonly string? _range;
    private readonly List<Bio> _held = []; // guarded by itself
    private ulong _written; // full: sectors that were let through
    private long _hits;

    private Rule(string name, IEnumerable<string> fields, ulong seed)
    {
        Name = name;
        _random = SeededRandom.Of(seed).With(name);
        Effect? effect = null;
        bool bySector = false;
        foreach (string field in fields)
        {
            string[] pair = field.Split('=', 2);
            (string key, string? value) = (pair[0], pair.Length == 2 ? pair[1] : null);
            if (value is null && Array.Exists(_operations, o => o.Word == key))
            {
                _of.Add(Array.Find(_operations, o => o.Word == key).Operation);
            }
            else if (value is null && ReadRange(field) is { } range)
            {
                (First, Last, _range) = (range.First, range.Last, field);
            }
            else if (key == "after" && value is { Length: > 0 })
            {
                After = value;
            }
            else if (field == "by=sector")
            {
                bySector = true;
            }
            else if (field == "off")
            {
                IsEnabled = false;
            }
            else if (value is not null && Trigger.Parse(key, value) is { } trigger)
            {
                _trigger = trigger;
            }
            else if (effect is null && (effect = Effect.Parse(key, value)) is not null)
            {
                // taken
            }
            else
            {
                throw Refuse(name, $"'{field}' is not an operation, a range, a trigger, or the one effect");
            }
        }

        if (bySector && !_trigger.DecideBySector())
        {
            throw Refuse(name, "by=sector needs a probability, p=...");
        }

        Effect = effect ?? throw Refuse(name, "it has no effect: error, drop, torn, misdirect, stale, flip, delay, reorder, hang, cut or full");
        if (!Operations.Any(Effect.Fits) || _of.Any(o => !Effect.Fits(o)))
        {
            throw Refuse(name, $"{Effect.Kind} does not fit the operations".ToLowerInvariant());
        }
    }

    /// <summary>Its name; one of a kind in the target.</summary>
    public string Name { get; }

    /// <summary>What it does.</summary>
    public Effect Effect { get; }

    /// <summary>The operations that it is about: all that its effect fits, unless some are named.</summary>
    public IEnumerable<BioOperation> Operations => _operations.Select(o => o.Operation).Where(o => _of.Count == 0 ? Effect.Fits(o) : _of.Contains(o));

    /// <summary>The first sector of the target that it is about.</summary>
    public ulong First { get; }

    /// <summary>The last.</summary>
    public ulong Last { get; } = ulong.MaxValue;

    /// <summary>The mark from which on it is in force; null for always.</summary>
    public string? After { get; }

    /// <summary>Whether it is in force.</summary>
    public bool IsEnabled { get; set; } = true;

    /// <summary>Whether it cannot fire any more.</summary>
    public bool IsExhausted => _trigger.IsExhausted;

    /// <summary>How many I/Os matched.</summary>
    public long Matches => _trigger.Matches;

    /// <summary>How many it did something to.</summary>
    public long Hits => Volatile.Read(ref _hits);

    /// <summary>How many hang now.</summary>
    public int Held
    {
        get
        {
            lock (_held)
            {
                return _held.Count;
            }
        }
    }

    /// <summary>Reads a rule.</summary>
    /// <param name="words">Its name and its fields, which may also be joined by colons.</param>
    /// <param name="seed">The target's.</param>
    /// <exception cref="DmException">EINVAL.</exception>
    public static Rule Parse(IEnumerable<string> words, ulong seed)
    {
        string[] parts = [.. words.SelectMany(w => w.Split(':')).Where(w => w.Length > 0)];
        if (parts.Length == 0 || !parts[0].All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
        {
            throw new DmException(Errno.EINVAL, "fault: a rule begins with its name, of letters, digits, '-', '_' and '.'");
        }

        return new Rule(parts[0], parts.Skip(1), seed);
    }

    /// <summary>Whether it is about a run of sectors; flushes have none, and match any range.</summary>
    public bool Covers(ulong first, ulong count) => count == 0 || (first <= Last && first + count > First);

    /// <summary>An I/O matches: whether it fires, and the numbers for what it does.</summary>
    public bool Fires(ulong sector, SectorCount count, out SeededRandom random)
    {
        bool fires = _trigger.Fires(_random, sector, out ulong ordinal);
        random = _random.With(ordinal).With(sector);
        if (fires && Effect.Kind == EffectKind.Full && Interlocked.Add(ref _written, count.Value) <= Effect.Count)
        {
            fires = false; // there is still space
        }

        if (fires)
        {
            Interlocked.Increment(ref _hits);
        }

        return fires;
    }

    /// <summary>Keeps an I/O until <see cref="Release"/>.</summary>
    public void Hold(Bio bio)
    {
        lock (_held)
        {
            _held.Add(bio);
        }
    }

    /// <summary>Takes those that it keeps, in the order in which they came.</summary>
    public IReadOnlyList<Bio> Release()
    {
        lock (_held)
        {
            Bio[] bios = [.. _held];
            _held.Clear();
            return bios;
        }
    }

    /// <summary>As one word of a table.</summary>
    public override string ToString()
    {
        IEnumerable<string?> words =
        [
            Name,
            .. _operations.Where(o => _of.Contains(o.Operation)).Select(o => o.Word),
            _range,
            _trigger.Text,
            After is null ? null : $"after={After}",
            IsEnabled ? null : "off",
            Effect.Text,
        ];
        return string.Join(':', words.Where(w => !string.IsNullOrEmpty(w)));
    }

    private static (ulong First, ulong Last)? ReadRange(string field)
    {
        string[] parts = field.Split('+');
        return parts.Length == 2 && KernelNumber.TryScan(parts[0], out ulong first) && KernelNumber.TryScan(parts[1], out ulong count)
            && count > 0 && first + count - 1 >= first
            ? (first, first + count - 1)
            : null;
    }

    private static DmException Refuse(string name, string reason) => new(Errno.EINVAL, $"fault: rule {name}: {reason}");
}
