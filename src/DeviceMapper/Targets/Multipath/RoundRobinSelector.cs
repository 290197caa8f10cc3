using System.Text;
using DeviceMapper.Io;

namespace DeviceMapper.Targets.Multipath;

/// <summary>Each good path in turn: <c>round-robin</c>, a path's words <c>[&lt;repeat count&gt;]</c> (drivers/md/dm-ps-round-robin.c).</summary>
internal sealed class RoundRobinSelector : PathSelector
{
    private readonly List<uint> _repeatCounts = [];
    private volatile Ring _ring = new([]);

    /// <inheritdoc/>
    public override string Name => "round-robin";

    /// <inheritdoc/>
    public override int TableWords => 1;

    /// <inheritdoc/>
    public override int StatusWords => 0;

    /// <inheritdoc/>
    public override void Add(MultipathPath path, ArgumentRange words)
    {
        words.Expect("a path of round-robin", 0, 1);
        _repeatCounts.Add(RepeatCount(words));
        _ring = new Ring([.. _ring.Paths, path]);
    }

    /// <inheritdoc/>
    public override void Fail(MultipathPath path) => _ring = new Ring([.. _ring.FromNext().Where(p => p != path)]);

    /// <summary>A path that is good again is the next one, as in the kernel.</summary>
    public override void Reinstate(MultipathPath path) => _ring = new Ring([path, .. _ring.FromNext()]);

    /// <inheritdoc/>
    public override MultipathPath? Select(SectorCount incoming)
    {
        Ring ring = _ring;
        return ring.Paths.Length == 0 ? null : ring.Paths[(Interlocked.Increment(ref ring.Taken) - 1) % (uint)ring.Paths.Length];
    }

    /// <inheritdoc/>
    public override void AppendTable(StringBuilder text, MultipathPath path) => text.Append($"{_repeatCounts[path.Index]} ");

    private sealed class Ring(MultipathPath[] paths)
    {
        public readonly MultipathPath[] Paths = paths;
        public uint Taken;

        public IEnumerable<MultipathPath> FromNext()
        {
            int next = Paths.Length == 0 ? 0 : (int)(Volatile.Read(ref Taken) % (uint)Paths.Length);
            return Paths.Skip(next).Concat(Paths.Take(next));
        }
    }
}
