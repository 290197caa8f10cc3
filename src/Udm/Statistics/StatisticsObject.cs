namespace Udm.Statistics;

/// <summary>What a row of a report tells of.</summary>
internal enum ObjectType
{
    Area,
    Region,
    Group,
}

/// <summary>An area of a region, a region, or a group of regions, with what was counted in it.</summary>
/// <param name="table">The regions.</param>
/// <param name="type">Which of the three.</param>
/// <param name="region">The region; of a group its first one.</param>
/// <param name="area">The number of an area; else 0.</param>
internal sealed class StatisticsObject(RegionTable table, ObjectType type, Region region, int area)
{
    // libdm's mark of a region as a whole, which stands where the number of an area would, and which it multiplies.
    private const ulong WholeRegion = 0x2000000000000;

    /// <summary>Which of the three.</summary>
    public ObjectType Type => type;

    /// <summary>The region; of a group its first one.</summary>
    public Region Region => region;

    /// <summary>The number of an area; else 0.</summary>
    public int Area => area;

    /// <summary>The group, or the one that the region is in.</summary>
    public RegionGroup? Group => region.Group;

    /// <summary>The alias of the group, or the device's name.</summary>
    public string Name => region.Group is { Alias.Length: > 0 } group ? group.Alias : table.Name;

    /// <summary>Sectors of the region, or of all of a group.</summary>
    public ulong Length => type == ObjectType.Group ? Members.Aggregate(0UL, (sum, member) => sum + member.Length) : region.Length;

    /// <summary>Sectors of an area; of a group all.</summary>
    public ulong AreaLength => type == ObjectType.Group ? Length : region.Step;

    /// <summary>How many areas; a group has one.</summary>
    public ulong AreaCount => type == ObjectType.Group ? 1 : region.AreaCount;

    /// <summary>The area's first sector within the region. Of a region what libdm makes of it: with areas of whole 32 KiB that is 0 as a size.</summary>
    public ulong AreaOffset => type switch { ObjectType.Group => 0, ObjectType.Region => unchecked(region.Step * WholeRegion), _ => region.Step * (ulong)area };

    /// <summary>The area's first sector.</summary>
    public ulong AreaStart => unchecked(region.Start + AreaOffset);

    /// <summary>The histogram; null without one.</summary>
    public Histogram? Histogram
    {
        get
        {
            if (region.Bounds is not { } bounds)
            {
                return null;
            }

            if (region.Areas is null)
            {
                return new Histogram(bounds, null);
            }

            ulong[] counts = new ulong[bounds.Count];
            foreach (AreaCounters counters in Areas)
            {
                for (int bin = 0; bin < counters.Histogram.Count; bin++)
                {
                    counts[bin] += counters.Histogram[bin];
                }
            }

            return new Histogram(bounds, counts);
        }
    }

    private IEnumerable<Region> Members => region.Group is { } group ? table.MembersOf(group) : [region];

    private IEnumerable<AreaCounters> Areas => type switch
    {
        ObjectType.Group => Members.SelectMany(member => member.Areas ?? []),
        ObjectType.Region => region.Areas ?? [],
        _ => [region.Areas![area]],
    };

    /// <summary>A counter; of a region or a group the sum.</summary>
    public ulong this[Counter counter]
    {
        get
        {
            ulong sum = 0;
            foreach (AreaCounters counters in Areas)
            {
                sum += counters[counter];
            }

            return sum;
        }
    }

    /// <summary>The objects of a device, in the order of reports: areas, regions, groups.</summary>
    /// <param name="table">The regions.</param>
    /// <param name="types">Which types are wanted.</param>
    /// <param name="skipsSingleAreas">Whether regions are left out that have one area, where areas are wanted too.</param>
    public static IEnumerable<StatisticsObject> Of(RegionTable table, IReadOnlySet<ObjectType> types, bool skipsSingleAreas)
    {
        foreach (Region region in types.Contains(ObjectType.Area) ? table.Regions : [])
        {
            for (int area = 0; area < (int)region.AreaCount; area++)
            {
                yield return new StatisticsObject(table, ObjectType.Area, region, area);
            }
        }

        foreach (Region region in types.Contains(ObjectType.Region) ? table.Regions : [])
        {
            if (!skipsSingleAreas || region.AreaCount > 1)
            {
                yield return new StatisticsObject(table, ObjectType.Region, region, 0);
            }
        }

        foreach (RegionGroup group in types.Contains(ObjectType.Group) ? table.Groups : [])
        {
            yield return new StatisticsObject(table, ObjectType.Group, table.Find(group.Id)!, 0);
        }
    }
}
