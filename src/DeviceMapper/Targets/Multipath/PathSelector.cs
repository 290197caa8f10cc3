using System.Text;
using DeviceMapper.Io;

namespace DeviceMapper.Targets.Multipath;

/// <summary>Chooses a path of a group for each I/O (the kernel's <c>struct path_selector_type</c>, drivers/md/dm-path-selector.h).</summary>
/// <remarks>
/// <see cref="Select"/> and <see cref="Timed"/> are called by many threads at once and take no lock; the others
/// under the target's lock. So the good paths are an array that is replaced, not changed.
/// </remarks>
internal abstract class PathSelector
{
    private const uint MostWords = 1024;

    /// <summary>Its word in the table.</summary>
    public abstract string Name { get; }

    /// <summary>How many words it prints for each path in the table line.</summary>
    public abstract int TableWords { get; }

    /// <summary>How many words it prints for each path in the status line.</summary>
    public abstract int StatusWords { get; }

    /// <summary>Whether it needs the time of each I/O.</summary>
    public virtual bool NeedsTimes => false;

    /// <summary>Makes the selector of a word, with the words that follow it.</summary>
    public static PathSelector Create(ArgumentCursor arguments)
    {
        Func<ArgumentRange, PathSelector> create = arguments.Word("path selector") switch
        {
            "round-robin" => _ => new RoundRobinSelector(), // most take any words, and do not look at them
            "queue-length" => _ => new QueueLengthSelector(),
            "service-time" => _ => new ServiceTimeSelector(),
            "historical-service-time" => words => new HistoricalServiceTimeSelector(words),
            "io-affinity" => _ => new IoAffinitySelector(),
            _ => throw arguments.RefuseLast(
                "path selector", "is not one of round-robin, queue-length, service-time, historical-service-time, io-affinity"),
        };
        return create(arguments.Group("number of selector words", MostWords));
    }

    /// <summary>Takes a path, good at first, with its words in the table.</summary>
    public abstract void Add(MultipathPath path, ArgumentRange words);

    /// <summary>A path is no longer good.</summary>
    public abstract void Fail(MultipathPath path);

    /// <summary>A path is good again.</summary>
    public abstract void Reinstate(MultipathPath path);

    /// <summary>Chooses a good path.</summary>
    /// <param name="incoming">The size of the I/O.</param>
    /// <returns>Null when it has none.</returns>
    public abstract MultipathPath? Select(SectorCount incoming);

    /// <summary>An I/O on a path has ended: each, where it <see cref="NeedsTimes"/>, else some.</summary>
    /// <param name="path">Which.</param>
    /// <param name="start">When it was sent, in nanoseconds.</param>
    /// <param name="end">When it ended.</param>
    public virtual void Timed(MultipathPath path, ulong start, ulong end)
    {
    }

    /// <summary>Appends the number of its own words and these, in the table and the status line alike.</summary>
    public virtual void AppendSelf(StringBuilder text) => text.Append("0 ");

    /// <summary>Appends a path's <see cref="TableWords"/>.</summary>
    public abstract void AppendTable(StringBuilder text, MultipathPath path);

    /// <summary>Appends a path's <see cref="StatusWords"/>.</summary>
    public virtual void AppendStatus(StringBuilder text, MultipathPath path)
    {
    }

    /// <summary>
    /// Reads a path's repeat count, how many I/Os in a row it once got. The kernel takes and warns of any, and uses 1.
    /// </summary>
    protected static uint RepeatCount(ArgumentRange words) => words.Count == 0 ? 1 : Math.Min(1, words.Number(0, "repeat count"));
}
