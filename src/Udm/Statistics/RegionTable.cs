using DeviceMapper.Ioctl;
using Udm.Verbs;

namespace Udm.Statistics;

/// <summary>The regions of a device that one program made, and their groups: what libdm's <c>struct dm_stats</c> is.</summary>
internal sealed class RegionTable
{
    /// <summary>Whose the regions are that the verb makes, lists and deletes unless told otherwise.</summary>
    public const string DefaultProgram = "dmstats";

    private readonly SortedDictionary<int, Region> _regions = [];
    private readonly SortedDictionary<int, RegionGroup> _groups = [];
    private readonly VerbContext _context;
    private readonly DeviceSelector _device;

    private RegionTable(VerbContext context, DeviceSelector device, string name)
    {
        _context = context;
        _device = device;
        Name = name;
    }

    /// <summary>The device's name.</summary>
    public string Name { get; }

    /// <summary>The regions, by number.</summary>
    public IReadOnlyCollection<Region> Regions => _regions.Values;

    /// <summary>The groups, by number.</summary>
    public IReadOnlyCollection<RegionGroup> Groups => _groups.Values;

    /// <summary>The greatest number of a region; 0 without one.</summary>
    public int MaxId => _regions.Count == 0 ? 0 : _regions.Keys.Last();

    /// <summary>Lists the regions of a device.</summary>
    /// <param name="context">The verb's surroundings.</param>
    /// <param name="device">The device.</param>
    /// <param name="program">Whose; empty: all.</param>
    /// <exception cref="DeviceMapper.DmException">ENXIO: no such device.</exception>
    public static RegionTable Read(VerbContext context, DeviceSelector device, string program)
    {
        RegionTable table = new(context, device, context.Devices.Find(device, DmFlags.None)?.Name ?? "");
        string list = table.Send($"@stats_list {program}") ?? "";
        foreach (string line in list.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            Region region = Region.Parse(line);
            table._regions[region.Id] = region;
            if (region.TakeGroup(context.Warn) is { } group)
            {
                table._groups[group.Id] = group;
            }
        }

        foreach (RegionGroup group in table._groups.Values)
        {
            group.Members.RemoveWhere(id => !table._regions.ContainsKey(id));
            foreach (int id in group.Members)
            {
                table._regions[id].Group = group;
            }
        }

        return table;
    }

    /// <summary>Sends a message to the device.</summary>
    public static string? Send(VerbContext context, DeviceSelector device, string message) => context.Devices.Message(device, default, message, DmFlags.None);

    /// <summary>A region; null if there is none.</summary>
    public Region? Find(int id) => _regions.GetValueOrDefault(id);

    /// <summary>A group; null if there is none.</summary>
    public RegionGroup? FindGroup(int id) => _groups.GetValueOrDefault(id);

    /// <summary>The regions of a group.</summary>
    public IEnumerable<Region> MembersOf(RegionGroup group) => group.Members.Select(id => _regions[id]);

    /// <summary>Reads the counters of all regions, and sets them to 0.</summary>
    public void TakeCounters()
    {
        foreach (Region region in _regions.Values)
        {
            region.ReadCounters(Send($"@stats_print_clear {region.Id} ") ?? "");
        }
    }

    /// <summary>Makes a group.</summary>
    /// <param name="members">Its regions, as the user wrote them.</param>
    /// <param name="alias">Its name; null without one.</param>
    /// <returns>Its number.</returns>
    /// <exception cref="VerbException">The members are malformed, missing, grouped already, or their histograms differ.</exception>
    public int MakeGroup(string members, string? alias)
    {
        if (_regions.Count == 0)
        {
            throw new VerbException("there are no regions to group");
        }

        SortedSet<int> set = RegionSet.Parse(members) ?? throw new VerbException($"regions '{members}' are malformed: numbers and ranges as 0-2,5 are expected");
        if (set.Count == 0)
        {
            throw new VerbException("a group has at least one region");
        }

        IReadOnlyList<ulong>? bounds = null;
        foreach (int id in set)
        {
            Region region = Find(id) ?? throw new VerbException($"there is no region {id}");
            if (region.Group is { } other)
            {
                throw new VerbException($"region {id} is in group {other.Id} already");
            }

            bounds ??= region.Bounds;
            if (region.Bounds is not null && !region.Bounds.SequenceEqual(bounds!))
            {
                throw new VerbException("the histograms of a group's regions have the same boundaries");
            }
        }

        WarnOfDifferences([.. set.Select(id => _regions[id])]);
        RegionGroup group = new(set.Min, alias ?? "", set);
        SetData(_regions[group.Id], group);
        return group.Id;
    }

    /// <summary>Dissolves a group, and deletes its regions if so wanted.</summary>
    /// <exception cref="VerbException">There is none.</exception>
    public void DeleteGroup(int id, bool withRegions)
    {
        RegionGroup group = FindGroup(id) ?? throw new VerbException($"there is no group {id}");
        Region leader = _regions[group.Id];
        foreach (Region member in withRegions ? MembersOf(group).Where(region => region != leader).Reverse() : [])
        {
            Send($"@stats_delete {member.Id}");
        }

        SetData(leader, null);
        if (withRegions)
        {
            Send($"@stats_delete {leader.Id}");
        }
    }

    /// <summary>Deletes a region, which leaves its group; the group goes with its first region.</summary>
    public void Delete(Region region)
    {
        if (region.Group is { } group)
        {
            group.Members.Remove(region.Id);
            bool dissolved = group.Id == region.Id;
            foreach (Region member in dissolved ? MembersOf(group) : [])
            {
                member.Group = null;
            }

            SetData(_regions[group.Id], dissolved ? null : group);
        }

        Send($"@stats_delete {region.Id}");
        _regions.Remove(region.Id);
    }

    private void SetData(Region leader, RegionGroup? group) => Send($"@stats_set_aux {leader.Id} {leader.DataWith(group)} ");

    private string? Send(string message) => Send(_context, _device, message);

    private void WarnOfDifferences(Region[] members)
    {
        if (members.Any(region => region.IsPrecise) && !members.All(region => region.IsPrecise))
        {
            _context.Warn("the regions have clocks of different precision");
        }

        Array.Sort(members, (a, b) => a.Start.CompareTo(b.Start));
        for (int i = 1; i < members.Length; i++)
        {
            if (members[i - 1].Start + members[i - 1].Length > members[i].Start)
            {
                _context.Warn($"regions {members[i - 1].Id} and {members[i].Id} overlap: some I/O is counted twice");
            }
        }
    }
}
