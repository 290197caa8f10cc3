using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Targets.Snapshots;

namespace DeviceMapper.Targets;

/// <summary>
/// An origin that becomes what a snapshot of it is: takes the arguments of <c>snapshot</c>, and that snapshot over from another target or from
/// the COW device, and copies its chunks back while it is in use (drivers/md/dm-snap.c).
/// </summary>
/// <remarks>Chunks that are merged, and those that never had an exception, are the origin's; the rest is still on the COW device.</remarks>
public sealed class SnapshotMergeTarget : SnapshotTarget
{
    private SnapshotMerge? _merge;

    /// <inheritdoc cref="SnapshotTarget(TargetArguments)"/>
    public SnapshotMergeTarget(TargetArguments arguments)
        : base(arguments)
    {
    }

    /// <summary>The type <c>snapshot-merge</c>.</summary>
    public static new TargetType Definition { get; } = new(
        "snapshot-merge", new(1, 5, 0), Grammar, TargetFeatures.None, arguments => new SnapshotMergeTarget(arguments));

    /// <inheritdoc/>
    public override MapResult Map(Bio bio)
    {
        bio.ContextValue = 0;
        if (bio.Operation == BioOperation.Flush)
        {
            bio.Device = bio.TargetBioNumber == 0 ? OriginDevice : CowDevice;
            return MapResult.Remapped;
        }

        if (bio.Operation == BioOperation.Discard)
        {
            bio.End(BioStatus.Ok); // what is to be merged stays
            return MapResult.Submitted;
        }

        Snapshot snapshot = Snapshot;
        ulong chunk = snapshot.IsValid ? snapshot.ChunkOf(bio.Sector) : 0;
        if (snapshot.IsValid && snapshot.Exceptions.TryFind(chunk, out _))
        {
            switch (_merge!.Map(bio, chunk, OriginDevice))
            {
                case MergeMap.ToCow:
                    return MapResult.Remapped;
                case MergeMap.Queued:
                    return MapResult.Submitted;
            }
        }

        bio.Device = OriginDevice;
        return !bio.IsWrite || snapshot.Origin.MayWrite(bio) ? MapResult.Remapped : MapResult.Submitted;
    }

    /// <summary>Stops merging: the run of chunks under way is finished first.</summary>
    public override void Presuspend() => _merge?.Stop();

    /// <inheritdoc/>
    public override void PresuspendUndo() => _merge?.Start();

    /// <inheritdoc/>
    public override void Resume()
    {
        base.Resume();
        _merge ??= new SnapshotMerge(Snapshot);
        _merge.Start();
    }

    /// <inheritdoc/>
    private protected override bool MergeFailed => _merge is { Failed: true };

    /// <inheritdoc/>
    public override void AppendStatus(StringBuilder text, bool noflush)
    {
        if (Snapshot.IsValid && MergeFailed)
        {
            text.Append("Merge failed");
        }
        else
        {
            base.AppendStatus(text, noflush);
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _merge?.Stop();
        base.Dispose();
    }
}
