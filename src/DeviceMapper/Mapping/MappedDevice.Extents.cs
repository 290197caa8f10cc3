using DeviceMapper.Io;
using DeviceMapper.Targets;

namespace DeviceMapper.Mapping;

/// <content>What can be told of its ranges without reading them; for front ends that show holes.</content>
public sealed partial class MappedDevice
{
    /// <summary>
    /// The first extent at a sector, at most so long, and whether it is a hole that reads as zeroes, as the live table's targets and the
    /// devices below know it. Beyond the end, and where nothing is known, all is data.
    /// </summary>
    public (SectorCount Length, bool Hole) ExtentAt(Sector start, SectorCount length) => WithTable(false, table =>
    {
        if (table is null || start.Value >= table.Size.Value)
        {
            return (length, false);
        }

        try
        {
            Target target = table.Find(start, BioThread.Current);
            (SectorCount known, bool hole) = target.ExtentAt(start, SectorCount.Min(length, target.End - start));
            return known == SectorCount.Zero ? (new SectorCount(1), false) : (known, hole);
        }
        catch (DmException)
        {
            return (length, false);
        }
    });

    /// <summary>
    /// Whether a bio with <see cref="BioFlags.NoWait"/> ends with <see cref="BioStatus.Again"/> just where it would have to wait: all targets of
    /// the live table, and of mapped devices below, pass the flag on (the kernel's DM_TARGET_NOWAIT).
    /// </summary>
    public bool AllowsNoWait => _live is { AllowsNoWait: true };

    /// <summary>The target that serves a sector: its place in the live table, from 0, and how many sectors it serves from there on.</summary>
    public (SectorCount Length, int Index) TargetAt(Sector sector) => WithTable(false, table =>
    {
        if (table is null || sector.Value >= table.Size.Value)
        {
            return (new SectorCount(ulong.MaxValue - sector.Value), 0);
        }

        int index = table.IndexOf(sector, BioThread.Current);
        return (table.Targets[index].End - sector, index);
    });
}
