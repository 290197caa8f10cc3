using System.Globalization;

namespace Udm.Statistics;

/// <summary>A region of a device's statistics, as <c>@stats_list</c> and <c>@stats_print</c> tell of it.</summary>
internal sealed class Region
{
    private const string GroupTag = "DMS_GROUP=";
    private const ulong NanosecondsInMillisecond = 1_000_000;
    private const string HistogramTag = "histogram:";

    private List<AreaCounters>? _areas;

    private Region(int id, ulong start, ulong length, ulong step)
    {
        Id = id;
        Start = start;
        Length = length;
        Step = step;
    }

    /// <summary>Its number.</summary>
    public int Id { get; }

    /// <summary>Its first sector.</summary>
    public ulong Start { get; }

    /// <summary>Sectors; once its counters are known whole areas, as the kernel prints them.</summary>
    public ulong Length { get; private set; }

    /// <summary>Sectors of an area.</summary>
    public ulong Step { get; }

    /// <summary>Whose it is; empty if nobody's.</summary>
    public string ProgramId { get; private init; } = "";

    /// <summary>What its maker keeps with it, without what tells of groups.</summary>
    public string UserData { get; private set; } = "";

    /// <summary>Whether it counts nanoseconds.</summary>
    public bool IsPrecise { get; private init; }

    /// <summary>The upper boundaries of its histogram's bins in nanoseconds; null without a histogram.</summary>
    public IReadOnlyList<ulong>? Bounds { get; private init; }

    /// <summary>The group that it is in; null if in none.</summary>
    public RegionGroup? Group { get; set; }

    /// <summary>How many areas it has.</summary>
    public ulong AreaCount => Length == 0 || Step == 0 ? 1 : (Length / Step) + (Length % Step == 0 ? 0UL : 1);

    /// <summary>What was counted; null where it was not asked for.</summary>
    public IReadOnlyList<AreaCounters>? Areas => _areas;

    /// <summary>
    /// Reads a line of <c>@stats_list</c>: <c>ID: START+LENGTH STEP PROGRAM DATA [precise_timestamps] [histogram:...]</c>. As libdm, which
    /// takes the last character of the data for the end of the line: where options follow it is lost.
    /// </summary>
    public static Region Parse(string line)
    {
        string[] words = line.Split(' ', 6);
        string[] range = words[1].Split('+');
        string data = words[4];
        string options = words.Length > 5 ? words[5] : "";
        bool precise = options.Contains("precise_timestamps", StringComparison.Ordinal);
        return new Region(int.Parse(words[0].TrimEnd(':'), CultureInfo.InvariantCulture), Number(range[0]), Number(range[1]), Number(words[2]))
        {
            ProgramId = words[3].StartsWith('-') ? "" : words[3],
            UserData = data.StartsWith('-') ? "" : words.Length > 5 && data.Length > 0 ? data[..^1] : data,
            IsPrecise = precise,
            Bounds = ReadBounds(options, precise ? 1 : NanosecondsInMillisecond),
        };
    }

    /// <summary>Takes what tells of a group out of the data: <c>DMS_GROUP=ALIAS:REGIONS#DATA</c>.</summary>
    /// <param name="warn">Told of a malformed one.</param>
    /// <returns>The group whose first region this is; null without one.</returns>
    public RegionGroup? TakeGroup(Action<string> warn)
    {
        int tag = UserData.IndexOf(GroupTag, StringComparison.Ordinal);
        if (tag < 0)
        {
            return null;
        }

        string data = UserData;
        int aliasStart = tag + GroupTag.Length;
        int colon = data.IndexOf(':', tag);
        if (colon < 0)
        {
            warn($"the data of region {Id} tell of a group, but are malformed: '{data}'");
            return null;
        }

        int end = data.IndexOf('#', colon);
        string members = end < 0 ? data[(colon + 1)..] : data[(colon + 1)..end];
        UserData = data[..colon]; // as libdm leaves it where the rest is malformed
        if (RegionSet.Parse(members) is not { Count: > 0 } set || set.Min != Id)
        {
            warn($"the data of region {Id} tell of a group, but its regions are malformed: '{members}'");
            return null;
        }

        string rest = end < 0 ? "" : data[(end + 1)..];
        UserData = rest == "-" ? "" : rest;
        return new RegionGroup(Id, data[aliasStart..colon], set);
    }

    /// <summary>The data with what tells of the group whose first region this is, for <c>@stats_set_aux</c>.</summary>
    public string DataWith(RegionGroup? group)
    {
        string data = UserData.Length > 0 ? UserData : "-";
        return group is null ? data : $"{GroupTag}{group.Alias}:{RegionSet.Write(group.Members)}#{data}";
    }

    /// <summary>Reads the answer to <c>@stats_print</c>: a line an area.</summary>
    public void ReadCounters(string answer)
    {
        string[] lines = answer.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        _areas = [.. lines.Select(line => AreaCounters.Parse(line, IsPrecise ? 1 : NanosecondsInMillisecond, Bounds is not null))];
        Length = (ulong)lines.Length * Step;
    }

    private static ulong Number(string word) => ulong.Parse(word, CultureInfo.InvariantCulture);

    private static ulong[]? ReadBounds(string options, ulong unit)
    {
        int at = options.IndexOf(HistogramTag, StringComparison.Ordinal);
        return at < 0 ? null : [.. options[(at + HistogramTag.Length)..].Split(' ')[0].Split(',').Select(bound => Number(bound) * unit), ulong.MaxValue];
    }
}

/// <summary>A group of regions.</summary>
/// <param name="Id">Its number: that of its first region, whose data tell of it.</param>
/// <param name="Alias">Its own name; empty without one.</param>
/// <param name="Members">The numbers of its regions.</param>
internal sealed record RegionGroup(int Id, string Alias, SortedSet<int> Members);
