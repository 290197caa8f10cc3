using System.Globalization;
using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Fault;

/// <summary>What kind of fault a rule makes.</summary>
internal enum EffectKind
{
    /// <summary>The I/O ends with an errno.</summary>
    Error,

    /// <summary>It ends well without having been done.</summary>
    Drop,

    /// <summary>A write of which only a part is done.</summary>
    Torn,

    /// <summary>It is done elsewhere.</summary>
    Misdirect,

    /// <summary>A read gives what is durable, not what was written last.</summary>
    Stale,

    /// <summary>Bits of its data are flipped.</summary>
    Flip,

    /// <summary>It is done later.</summary>
    Delay,

    /// <summary>It is done when it is released.</summary>
    Hang,

    /// <summary>The power goes.</summary>
    Cut,

    /// <summary>There is no space after so many sectors.</summary>
    Full,
}

/// <summary>What a rule does to an I/O.</summary>
/// <param name="Kind">The kind of fault.</param>
/// <param name="Text">Its word.</param>
internal sealed record Effect(EffectKind Kind, string Text)
{
    private const int LongestDelay = 86_400_000; // milliseconds

    /// <summary>How the I/O ends, of <see cref="EffectKind.Error"/>.</summary>
    public BioStatus Status { get; private init; }

    /// <summary>Sectors that are written (torn), bits (flip), sectors that there is space for (full).</summary>
    public ulong Count { get; private init; }

    /// <summary>Of torn: random sectors are written in place of the first.</summary>
    public bool Random { get; private init; }

    /// <summary>Of misdirect: how many sectors further.</summary>
    public long Shift { get; private init; }

    /// <summary>Of delay: the least milliseconds.</summary>
    public int LeastDelay { get; private init; }

    /// <summary>Of delay: the most; of an exponential distribution the mean.</summary>
    public int MostDelay { get; private init; }

    /// <summary>Of delay: exponentially distributed.</summary>
    public bool Exponential { get; private init; }

    /// <summary>Reads the word of an effect.</summary>
    /// <returns>Null where it is none.</returns>
    public static Effect? Parse(string key, string? value) => (key, value) switch
    {
        ("error", null) => new(EffectKind.Error, "error=EIO") { Status = BioStatus.IoError },
        ("error", _) when Enum.TryParse(value, ignoreCase: true, out Errno errno) && errno != Errno.None && Enum.IsDefined(errno) =>
            new(EffectKind.Error, $"error={errno}") { Status = BioStatusErrno.FromErrno(errno) },
        ("drop", null) => new(EffectKind.Drop, "drop"),
        ("torn", "random") => new(EffectKind.Torn, "torn=random") { Random = true },
        ("torn", _) when Number(value) is { } n => new(EffectKind.Torn, $"torn={n}") { Count = n },
        ("misdirect", _) when long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long shift) && shift != 0 =>
            new(EffectKind.Misdirect, $"misdirect={value}") { Shift = shift },
        ("stale", null) => new(EffectKind.Stale, "stale"),
        ("flip", null) => new(EffectKind.Flip, "flip=1") { Count = 1 },
        ("flip", _) when Number(value) is { } n and > 0 => new(EffectKind.Flip, $"flip={n}") { Count = n },
        ("delay" or "reorder", not null) => ParseDelay(key, value),
        ("hang", null) => new(EffectKind.Hang, "hang"),
        ("cut", null) => new(EffectKind.Cut, "cut"),
        ("full", _) when Number(value) is { } n => new(EffectKind.Full, $"full={n}") { Count = n },
        _ => null,
    };

    /// <summary>How long an I/O waits.</summary>
    public TimeSpan DelayOf(SeededRandom random)
    {
        double milliseconds = Exponential
            ? -Math.Log(1 - random.Fraction) * MostDelay
            : LeastDelay + (random.Fraction * (MostDelay - LeastDelay));
        return TimeSpan.FromMilliseconds(Math.Min(milliseconds, LongestDelay));
    }

    /// <summary>Whether it makes sense for an operation.</summary>
    public bool Fits(BioOperation operation) => Kind switch
    {
        EffectKind.Drop => operation != BioOperation.Read,
        EffectKind.Torn or EffectKind.Full => operation == BioOperation.Write,
        EffectKind.Misdirect or EffectKind.Flip => operation is BioOperation.Read or BioOperation.Write,
        EffectKind.Stale => operation == BioOperation.Read,
        _ => true,
    };

    /// <summary><c>delay=N</c>, <c>delay=N-M</c> evenly, <c>delay=~N</c> exponentially; <c>reorder=N</c> is <c>delay=0-N</c>.</summary>
    private static Effect? ParseDelay(string key, string value)
    {
        bool exponential = value.StartsWith('~');
        string[] parts = value.TrimStart('~').Split('-');
        if (parts.Length > 2 || (parts.Length == 2 && exponential) || Number(parts[0]) is not { } first || Number(parts[^1]) is not { } last
            || first > last || last > LongestDelay)
        {
            return null;
        }

        return new(EffectKind.Delay, $"{key}={value}")
        {
            LeastDelay = key == "reorder" ? 0 : (int)first,
            MostDelay = (int)last,
            Exponential = exponential,
        };
    }

    private static ulong? Number(string? text) => KernelNumber.TryScan(text, out ulong n) ? n : null;
}
