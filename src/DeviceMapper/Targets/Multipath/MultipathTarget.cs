using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Multipath;

/// <summary>
/// One device that is reached by several paths: <c>multipath &lt;#features&gt; feature... &lt;#handler words&gt; handler...
/// &lt;#groups&gt; &lt;first group&gt; (&lt;selector&gt; &lt;#selector words&gt; word... &lt;#paths&gt; &lt;#path words&gt; (&lt;device&gt; word...)...)...</c>
/// (drivers/md/dm-mpath.c).
/// </summary>
/// <remarks>
/// I/O goes to one group, to the path that its selector chooses. An error that another path may not have fails the path, and the I/O goes to
/// another one. Without any path it waits, or fails. What changes is guarded by one lock that I/O takes only where
/// something has changed since the last one. The kernel's two queue modes differ in what a noflush suspend shows, not in how I/O goes.
/// </remarks>
public sealed partial class MultipathTarget : Target
{
    private const uint MostGroups = 1024;

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly NanosecondClock _clock;
    private readonly MultipathFeatures _features;
    private readonly PriorityGroup[] _groups;
    private readonly MultipathPath[] _paths; // of all groups

    private volatile PriorityGroup? _current; // where I/O goes
    private volatile PriorityGroup? _next; // where it will go: by the table's first group, or a message
    private int _activePaths;

    /// <summary>Takes features, groups and paths.</summary>
    public MultipathTarget(TargetArguments arguments)
        : base(arguments)
    {
        _time = arguments.Table.Owner.Registry.Options.Time;
        _clock = new NanosecondClock(_time);
        ArgumentCursor cursor = new(arguments);
        _features = MultipathFeatures.Parse(cursor);
        _queueIfNoPath = _features.QueueIfNoPath;
        _groups = ParseGroups(cursor, out int first);
        _next = first >= 1 && first <= _groups.Length ? _groups[first - 1] : null;
        _paths = [.. _groups.SelectMany(g => g.Paths)];
        _activePaths = _paths.Count(p => p.IsActive);
        _caches = FindCaches();
        FlushBios = Math.Max(1, _caches.Length);
        DiscardBios = WriteZeroesBios = 1;
        WantsEnd = true;
        Array.ForEach(_paths, Watch);
        Doubt.Freed += DoubtFreed;
        OpenDeadPaths();
    }

    /// <summary>The type <c>multipath</c>.</summary>
    public static TargetType Definition { get; } = new(
        "multipath",
        new(1, 14, 0),
        "<#features> feature... <#handler words> handler... <#groups> <first group> "
            + "(<selector> <#selector words> word... <#paths> <#path words> (<device> word...)...)...",
        TargetFeatures.Singleton | TargetFeatures.Immutable | TargetFeatures.PassesIntegrity,
        arguments => new MultipathTarget(arguments));

    /// <inheritdoc/>
    public override bool? RequestBased => !_features.BioBased;

    /// <inheritdoc/>
    public override IEnumerable<TargetArea> Areas =>
        _paths.Select(p => p.Device).OfType<DeviceReference>().Select(d => new TargetArea(d, default, Length));

    /// <inheritdoc/>
    public override void Dispose()
    {
        StopOpening();
        Unwatch();
        Doubt.Freed -= DoubtFreed;
        _queueTimer?.Dispose();
        _checkTimer?.Dispose();
        _doubtTimer?.Dispose();
        base.Dispose();
    }

    private PriorityGroup[] ParseGroups(ArgumentCursor arguments, out int first)
    {
        uint count = arguments.Number("number of priority groups", 0, MostGroups);
        first = (int)arguments.Number("first priority group", 0, MostGroups); // one that is not there is accepted, and chooses none
        if ((count == 0) != (first == 0))
        {
            throw arguments.RefuseLast("first priority group", count == 0 ? "is not 0, though there is no group" : "is not the number of a group");
        }

        List<PriorityGroup> groups = [];
        while (arguments.Left > 0)
        {
            groups.Add(new PriorityGroup(groups.Count + 1, arguments, _features, _clock));
        }

        return groups.Count == count
            ? [.. groups]
            : throw arguments.Refuse($"{count} priority groups are announced, {groups.Count} follow");
    }
}
