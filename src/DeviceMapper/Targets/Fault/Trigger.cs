using System.Globalization;

namespace DeviceMapper.Targets.Fault;

/// <summary>When a rule fires, among the I/Os that match it.</summary>
internal sealed class Trigger
{
    private readonly TriggerKind _kind;
    private readonly ulong _number;
    private readonly double _probability;
    private Dictionary<ulong, ulong>? _seen; // by=sector: how often each sector was matched; guarded by itself
    private long _matches;

    private Trigger(TriggerKind kind, ulong number, double probability, string text)
    {
        _kind = kind;
        _number = number;
        _probability = probability;
        Text = text;
    }

    /// <summary>Every time.</summary>
    public static Trigger Always() => new(TriggerKind.Always, 0, 0, "");

    /// <summary>Its word; empty for always.</summary>
    public string Text { get; private set; }

    /// <summary>How many I/Os matched.</summary>
    public long Matches => Volatile.Read(ref _matches);

    /// <summary>Whether it cannot fire any more.</summary>
    public bool IsExhausted => _kind is TriggerKind.Next or TriggerKind.At && (ulong)Matches >= _number;

    /// <summary>Reads <c>next=N</c>, <c>every=N</c>, <c>at=N</c> or <c>p=PROBABILITY</c>.</summary>
    /// <returns>Null where the word is none of them.</returns>
    public static Trigger? Parse(string key, string value) => key switch
    {
        "next" when Number(value) is { } n => new Trigger(TriggerKind.Next, n, 0, $"next={n}"),
        "every" when Number(value) is { } n => new Trigger(TriggerKind.Every, n, 0, $"every={n}"),
        "at" when Number(value) is { } n => new Trigger(TriggerKind.At, n, 0, $"at={n}"),
        "p" when double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double p) && p <= 1 =>
            new Trigger(TriggerKind.Probability, 0, p, $"p={value}"),
        _ => null,
    };

    /// <summary>Decides by the sector and how often it was matched, not by the number of the I/O: the order of arrival does not matter.</summary>
    /// <returns>False where it is not a matter of probability.</returns>
    public bool DecideBySector()
    {
        _seen = [];
        Text += ":by=sector";
        return _kind == TriggerKind.Probability;
    }

    /// <summary>An I/O matches.</summary>
    /// <param name="random">The rule's numbers.</param>
    /// <param name="sector">Where the I/O begins.</param>
    /// <param name="ordinal">Which of the matching I/Os it is, from 0.</param>
    /// <returns>Whether the rule fires.</returns>
    public bool Fires(SeededRandom random, ulong sector, out ulong ordinal)
    {
        ordinal = (ulong)Interlocked.Increment(ref _matches) - 1;
        return _kind switch
        {
            TriggerKind.Always => true,
            TriggerKind.Next => ordinal < _number,
            TriggerKind.Every => (ordinal + 1) % _number == 0,
            TriggerKind.At => ordinal + 1 == _number,
            _ => (_seen is { } seen ? random.With(sector).With(CountOf(seen, sector)) : random.With(ordinal)).Fraction < _probability,
        };
    }

    private static ulong? Number(string text) => KernelNumber.TryScan(text, out ulong n) && n > 0 ? n : null;

    private static ulong CountOf(Dictionary<ulong, ulong> seen, ulong sector)
    {
        lock (seen)
        {
            ulong count = seen.GetValueOrDefault(sector);
            seen[sector] = count + 1;
            return count;
        }
    }

    private enum TriggerKind
    {
        Always,
        Next,
        Every,
        At,
        Probability,
    }
}
