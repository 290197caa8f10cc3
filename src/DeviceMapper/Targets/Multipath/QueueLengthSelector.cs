using System.Text;
using DeviceMapper.Io;

namespace DeviceMapper.Targets.Multipath;

/// <summary>The path with the fewest I/Os on it: <c>queue-length</c>, a path's words <c>[&lt;repeat count&gt;]</c> (drivers/md/dm-ps-queue-length.c).</summary>
internal sealed class QueueLengthSelector : LoadSelector
{
    private readonly List<uint> _repeatCounts = [];

    /// <inheritdoc/>
    public override string Name => "queue-length";

    /// <inheritdoc/>
    public override int TableWords => 1;

    /// <inheritdoc/>
    public override int StatusWords => 1;

    /// <inheritdoc/>
    public override void Add(MultipathPath path, ArgumentRange words)
    {
        words.Expect("a path of queue-length", 0, 1);
        _repeatCounts.Add(RepeatCount(words));
        base.Add(path, words);
    }

    /// <inheritdoc/>
    public override void AppendTable(StringBuilder text, MultipathPath path) => text.Append($"{_repeatCounts[path.Index]} ");

    /// <inheritdoc/>
    public override void AppendStatus(StringBuilder text, MultipathPath path) => text.Append($"{path.InFlight} ");

    /// <inheritdoc/>
    protected override MultipathPath Best(MultipathPath[] good, SectorCount incoming)
    {
        MultipathPath best = good[0];
        int least = best.InFlight;
        for (int i = 1; i < good.Length; i++)
        {
            MultipathPath path = good[i];
            int length = path.InFlight;
            if (length < least || (length == least && path.LastUsed < best.LastUsed))
            {
                (best, least) = (path, length);
            }
        }

        return best;
    }
}
