using DeviceMapper.Io;
using DeviceMapper.Native;
using DeviceMapper.Targets;

namespace DeviceMapper.Mapping;

/// <content>Stacks the limits of the devices below, and checks that areas fit them.</content>
public sealed partial class Table
{
    /// <summary>
    /// Computes <see cref="Limits"/> and checks each target's areas (the kernel's <c>dm_calculate_queue_limits</c>): at load
    /// for a device's first table, at the swap for later ones.
    /// </summary>
    /// <exception cref="DmException">EINVAL: an area that is too large for its device, or not aligned to its blocks.</exception>
    internal void ComputeLimits()
    {
        QueueLimits limits = QueueLimits.Stacking;
        bool discards = true;
        bool zeroes = true;
        bool erases = true;
        for (int i = 0; i < _targets.Length; i++)
        {
            Target target = _targets[i];
            QueueLimits own = QueueLimits.Stacking;
            bool belowDiscards = false;
            foreach (TargetArea area in target.Areas)
            {
                CheckArea(i, target, area);
                own = own.Stack(area.Device.Device.Limits, area.Start);
                belowDiscards = true;
            }

            own = target.AdjustLimits(own);
            discards &= target.DiscardBios > 0 && (target.DiscardsSupported || (belowDiscards && target.Areas.All(a => a.Device.Device.Limits.MaxDiscard.Value > 0)));
            zeroes &= target.WriteZeroesBios > 0 && target.Areas.All(a => a.Device.Device.Limits.MaxWriteZeroes.Value > 0);
            erases &= target.SecureEraseBios > 0 && target.Areas.All(a => a.Device.Device.Limits.MaxSecureErase.Value > 0);
            limits = limits.Stack(own, target.Start);
        }

        CheckTargetAlignment(limits.LogicalBlockSize);
        _blockMask = (limits.LogicalBlockSize / Sector.Size) - 1;
        Limits = limits with
        {
            MaxDiscard = discards ? limits.MaxDiscard : SectorCount.Zero,
            DiscardGranularity = discards ? limits.DiscardGranularity : 0,
            MaxWriteZeroes = zeroes ? limits.MaxWriteZeroes : SectorCount.Zero,
            MaxSecureErase = erases ? limits.MaxSecureErase : SectorCount.Zero,
        };
    }

    private void CheckArea(int index, Target target, TargetArea area)
    {
        SectorCount size = area.Device.Device.Size;
        ulong blockSectors = area.Device.Device.Limits.LogicalBlockSize / Sector.Size;
        string where = _targets.Length > 1 ? $"line {index + 1}: {target.Type.Name}" : target.Type.Name;

        // The kernel checks nothing against a device whose size reads zero.
        if (size.Value != 0 && (area.Start.Value >= size.Value || area.Length.Value > size.Value - area.Start.Value))
        {
            throw new DmException(
                Errno.EINVAL,
                $"{where}: '{area.Device.Name}' has {size} sectors, too few for {area.Length} from sector {area.Start}");
        }

        if (area.Start.Value % blockSectors != 0 || area.Length.Value % blockSectors != 0)
        {
            throw new DmException(
                Errno.EINVAL,
                $"{where}: start {area.Start} and length {area.Length} on '{area.Device.Name}' must be multiples of its block of {blockSectors} sectors");
        }
    }

    /// <summary>The kernel's <c>validate_hardware_logical_block_alignment</c>: a target's end must not cut a block of the whole device.</summary>
    private void CheckTargetAlignment(uint logicalBlockSize)
    {
        ulong block = logicalBlockSize / Sector.Size;
        for (int i = 0; i < _targets.Length; i++)
        {
            Target target = _targets[i];
            if (target.Start.Value % block != 0 || target.Length.Value % block != 0)
            {
                throw new DmException(
                    Errno.EINVAL,
                    $"line {i + 1}: {target.Type.Name}: start {target.Start} and length {target.Length} must be multiples of the device's block of {block} sectors");
            }
        }
    }
}
