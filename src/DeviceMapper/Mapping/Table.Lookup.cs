using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeviceMapper.Io;
using DeviceMapper.Targets;

namespace DeviceMapper.Mapping;

/// <content>Finds the target of a sector, and the devices of a flush.</content>
public sealed partial class Table
{
    /// <summary>
    /// What a flush is sent to when all targets let it past their map: each table device once. Null when a target wants to see it.
    /// </summary>
    internal DeviceReference[]? FlushDevices { get; private set; }

    /// <summary>The target that maps a sector, which must lie within the table.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Target Find(Sector sector, BioThread thread) => _targets[IndexOf(sector, thread)];

    /// <summary>The place of the target that maps a sector, which must lie within the table.</summary>
    /// <remarks>
    /// Each thread keeps where it found the last one, in a cell that few tables share, so that sequential I/O finds it at once in a table of
    /// any size, and threads do not write to each other's memory; else a binary search. A number keeps no table alive.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int IndexOf(Sector sector, BioThread thread)
    {
        ulong[] starts = _starts;
        if (starts.Length == 2)
        {
            return 0;
        }

        ref int last = ref thread.LastTargets[_lookupCell];
        int index = last; // of whatever table used the cell last: perhaps beyond this one's
        if ((uint)index < (uint)(starts.Length - 1))
        {
            // The one check above serves both looks: two more take a tenth of this method's time.
            ref ulong start = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(starts), index);
            if (sector.Value - start < Unsafe.Add(ref start, 1) - start)
            {
                return index;
            }
        }

        return Search(sector, ref last);
    }

    /// <summary>What is wrong with a bio that has sectors: beyond the end (EIO, as the kernel's bio_check_eod), not aligned (EINVAL), a write to a read-only table.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal BioStatus Check(Bio bio)
    {
        ulong start = bio.Sector.Value;
        ulong count = bio.Count.Value;
        if (start >= Size.Value || count > Size.Value - start || count == 0)
        {
            return BioStatus.IoError;
        }

        if (((start | count) & _blockMask) != 0)
        {
            return BioStatus.Invalid;
        }

        // Clones of a writeable table on top pass, as in the kernel: only who opens the device is refused.
        return Mode == DeviceMode.ReadOnly && bio.IsWrite && bio.Parent is null ? BioStatus.ReadOnly : BioStatus.Ok;
    }

    /// <summary>The largest bio of an operation without data; zero where the table has none.</summary>
    internal SectorCount LargestOf(BioOperation operation) => operation switch
    {
        BioOperation.Discard => Limits.MaxDiscard,
        BioOperation.SecureErase => Limits.MaxSecureErase,
        _ => Limits.MaxWriteZeroes,
    };

    private int Search(Sector sector, ref int found)
    {
        ulong[] starts = _starts;
        int next = found + 1;
        if ((uint)(next + 1) < (uint)starts.Length && sector.Value - starts[next] < starts[next + 1] - starts[next])
        {
            return found = next;
        }

        // Halves without a branch that the processor would guess wrong every other time. Sectors are below 2^55, so a difference has a sign.
        int low = 0;
        for (int length = starts.Length - 1; length > 1;)
        {
            int half = length >>> 1;
            int before = (int)((long)(sector.Value - starts[low + half]) >> 63); // -1 where the sector lies before the middle
            low += half & ~before;
            length -= half;
        }

        return found = low;
    }

    /// <summary>Whether bios with NoWait are understood by all targets, and by the mapped devices below.</summary>
    internal bool AllowsNoWait =>
        Array.TrueForAll(_targets, t => (t.Type.Features & TargetFeatures.NoWait) != 0) && Array.TrueForAll(_mappedBelow, d => d.AllowsNoWait);

    private void PlanFlush() =>
        FlushDevices = Array.TrueForAll(_targets, t => t.FlushBypassesMap) ? [.. _devices] : null;
}
