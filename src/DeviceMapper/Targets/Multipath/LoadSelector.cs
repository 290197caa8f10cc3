using DeviceMapper.Io;

namespace DeviceMapper.Targets.Multipath;

/// <summary>A selector that compares what the good paths have to do; among equals it takes the one that it took least recently.</summary>
/// <remarks>
/// The kernel moves the chosen path to the end of a list, under a lock. A count of choices in each path gives the same order without.
/// The search is as long as there are good paths, as in the kernel: some 2 ns each.
/// </remarks>
internal abstract class LoadSelector : PathSelector
{
    private volatile MultipathPath[] _good = [];
    private long _choices;

    /// <summary>How many good paths there are.</summary>
    protected int GoodPaths => _good.Length;

    /// <inheritdoc/>
    public override void Add(MultipathPath path, ArgumentRange words)
    {
        path.LastUsed = ++_choices;
        _good = [.. _good, path];
    }

    /// <inheritdoc/>
    public override void Fail(MultipathPath path) => _good = [.. _good.Where(p => p != path)];

    /// <inheritdoc/>
    public override void Reinstate(MultipathPath path)
    {
        path.LastUsed = Interlocked.Increment(ref _choices);
        _good = [.. _good, path];
    }

    /// <inheritdoc/>
    public override MultipathPath? Select(SectorCount incoming)
    {
        MultipathPath[] good = _good;
        if (good.Length == 0)
        {
            return null;
        }

        MultipathPath best = Best(good, incoming);
        if (good.Length > 1)
        {
            best.LastUsed = Interlocked.Increment(ref _choices);
        }

        return best;
    }

    /// <summary>Finds the best path; <paramref name="good"/> is not empty.</summary>
    protected abstract MultipathPath Best(MultipathPath[] good, SectorCount incoming);
}
