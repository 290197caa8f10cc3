using DeviceMapper.Targets.Crypt;
using DeviceMapper.Targets.Delay;
using DeviceMapper.Targets.Fault;
using DeviceMapper.Targets.Flakey;
using DeviceMapper.Targets.Integrity;
using DeviceMapper.Targets.LogWrites;
using DeviceMapper.Targets.Mirror;
using DeviceMapper.Targets.Multipath;
using DeviceMapper.Targets.Snapshots;
using DeviceMapper.Targets.Switch;
using DeviceMapper.Targets.Verity;

namespace DeviceMapper.Targets;

/// <summary>The list of target types. Adding a target is a file of its own and a line here.</summary>
public static class TargetTypes
{
    /// <summary>All that there are, in the kernel's order: those that are modules there, then the three of its core.</summary>
    public static IReadOnlyList<TargetType> All { get; } =
    [
        CryptTarget.Definition,
        DelayTarget.Definition,
        DustTarget.Definition,
        FaultTarget.Definition,
        FlakeyTarget.Definition,
        IntegrityTarget.Definition,
        LogWritesTarget.Definition,
        MirrorTarget.Definition,
        MultipathTarget.Definition,
        SnapshotMergeTarget.Definition,
        SnapshotOriginTarget.Definition,
        SnapshotTarget.Definition,
        SwitchTarget.Definition,
        ThinPoolTarget.Definition,
        ThinTarget.Definition,
        UnstripedTarget.Definition,
        VerityTarget.Definition,
        ZeroTarget.Definition,
        StripedTarget.Definition,
        LinearTarget.Definition,
        ErrorTarget.Definition,
    ];
}
