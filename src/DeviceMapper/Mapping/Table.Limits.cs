using DeviceMapper.Io;
using DeviceMapper.Native;
using DeviceMapper.Targets;

namespace DeviceMapper.Mapping;

/// <content>Stacks the limits of the devices below, and checks that areas fit them.</content>
public sealed partial class Table
{
    /// <summary>
    /// Computes <see cref="Limits"/> and checks each target's areas (the kernel's <c>dm_calculate_queue_limits</c> and
    /// <c>dm_table_set_restrictions</c>): at load for a device's first table, at the swap for later ones.
    /// </summary>
    /// <exception cref="DmException">EINVAL: an area that is too large for its device, or a target that is not aligned to blocks.</exception>
    internal void ComputeLimits()
    {
        QueueLimits limits = QueueLimits.Stacking;
        uint[] blockSizes = new uint[_targets.Length]; // of each target's devices
        IntegrityProfile?[] profiles = new IntegrityProfile?[_targets.Length];
        (bool discards, bool zeroes, bool erases, bool flushes) = (true, true, true, false);
        for (int i = 0; i < _targets.Length; i++)
        {
            Target target = _targets[i];
            TargetArea[] areas = [.. target.Areas];
            QueueLimits below = QueueLimits.Stacking;
            foreach (TargetArea area in areas)
            {
                below = below.Stack(LimitsOf(area), area.Start);
            }

            below = below with { Integrity = ProfileOfAll([.. areas.Select(area => LimitsOf(area).Integrity)]) };
            blockSizes[i] = below.LogicalBlockSize;
            QueueLimits own = target.AdjustLimits(below);
            foreach (TargetArea area in areas)
            {
                CheckArea(i, area, own.LogicalBlockSize);
            }

            discards &= target.DiscardBios > 0
                && (target.DiscardsSupported || (areas.Length > 0 && Array.TrueForAll(areas, a => LimitsOf(a).MaxDiscard.Value > 0)));
            zeroes &= target.WriteZeroesBios > 0 && Array.TrueForAll(areas, a => LimitsOf(a).MaxWriteZeroes.Value > 0);
            erases &= target.SecureEraseBios > 0 && Array.TrueForAll(areas, a => LimitsOf(a).MaxSecureErase.Value > 0);
            flushes |= target.FlushBios > 0 && (target.FlushSupported || Array.Exists(areas, a => LimitsOf(a).WriteCache));
            limits = limits.Stack(own, target.Start);
            profiles[i] = own.Integrity;
        }

        CheckBlocks(limits.LogicalBlockSize, blockSizes);
        _blockMask = (limits.LogicalBlockSize / Sector.Size) - 1;
        Limits = limits with
        {
            MaxDiscard = discards ? limits.MaxDiscard : SectorCount.Zero,
            DiscardGranularity = discards ? limits.DiscardGranularity : 0,
            MaxWriteZeroes = zeroes ? limits.MaxWriteZeroes : SectorCount.Zero,
            MaxSecureErase = erases ? limits.MaxSecureErase : SectorCount.Zero,
            WriteCache = limits.WriteCache || flushes,
            Fua = limits.Fua || flushes,
            Integrity = StackProfiles(profiles),
        };
    }

    /// <summary>What the targets keep beside each block: nothing, where one keeps other things than another, or does not pass on what is below it.</summary>
    private IntegrityProfile? StackProfiles(IntegrityProfile?[] profiles)
    {
        if (!_targets.All(target => target.Type.Has(TargetFeatures.PassesIntegrity) || target.Type.Has(TargetFeatures.Integrity)))
        {
            return null;
        }

        IntegrityProfile? common = ProfileOfAll(profiles);
        if (common is null && Array.FindIndex(profiles, profile => profile != profiles[0]) is > 0 and int other)
        {
            Owner.Logger.TableWarning(
                Owner.Name, $"{Where(other)}: keeps other metadata beside its blocks than the targets before it, or none: nothing is kept for tables above");
        }

        return common;
    }

    private static IntegrityProfile? ProfileOfAll(IntegrityProfile?[] profiles) =>
        profiles.Length > 0 && Array.TrueForAll(profiles, profile => profile == profiles[0]) ? profiles[0] : null;

    private static QueueLimits LimitsOf(TargetArea area) => area.Device.Device.Limits;

    /// <summary>The kernel's <c>device_area_is_invalid</c>.</summary>
    private void CheckArea(int index, TargetArea area, uint logicalBlockSize)
    {
        SectorCount size = area.Device.Device.Size;
        if (size == SectorCount.Zero)
        {
            return; // nothing is known of it: the kernel checks nothing
        }

        if (area.Start.Value >= size.Value || area.Length.Value > size.Value - area.Start.Value)
        {
            throw new DmException(
                Errno.EINVAL,
                $"{Where(index)}: '{area.Device.Name}' has {size} sectors, too few for {area.Length} from sector {area.Start}");
        }

        ulong block = logicalBlockSize / Sector.Size;
        if (area.Start.Value % block != 0 || area.Length.Value % block != 0)
        {
            throw new DmException(
                Errno.EINVAL,
                $"{Where(index)}: start {area.Start} and length {area.Length} on '{area.Device.Name}' must be multiples of the block of {block} sectors");
        }
    }

    /// <summary>
    /// The kernel's <c>validate_hardware_logical_block_alignment</c>: a block of the whole device that a target's end cuts must go on in
    /// a target that takes such a part of a block.
    /// </summary>
    private void CheckBlocks(uint logicalBlockSize, uint[] blockSizes)
    {
        ulong block = logicalBlockSize / Sector.Size;
        ulong rest = 0; // sectors of the block that the target before has cut
        for (int i = 0; i < _targets.Length; i++)
        {
            if (rest < _targets[i].Length.Value && rest % (blockSizes[i] / Sector.Size) != 0)
            {
                throw Misplaced(i);
            }

            ulong into = _targets[i].End.Value % block;
            rest = into == 0 ? 0 : block - into;
        }

        if (rest != 0)
        {
            throw Misplaced(_targets.Length - 1);
        }

        DmException Misplaced(int i) => new(
            Errno.EINVAL,
            $"{Where(i)}: start {_targets[i].Start} and length {_targets[i].Length} do not fit the device's blocks of {block} sectors");
    }

    private string Where(int index) => _targets.Length > 1 ? $"line {index + 1}: {_targets[index].Type.Name}" : _targets[index].Type.Name;
}
