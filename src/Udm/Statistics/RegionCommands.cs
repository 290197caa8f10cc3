using Udm.Verbs;

namespace Udm.Statistics;

/// <summary>What <c>stats</c> does to regions and groups that are there.</summary>
internal static class RegionCommands
{
    private const int AllRegions = -1; // as a number of the command line too, which only clear takes for that

    /// <summary>Sets counters to 0.</summary>
    public static void Clear(VerbContext context, DeviceSelector device)
    {
        RegionTable table = RegionTable.Read(context, device, RegionTable.DefaultProgram);
        if (table.Regions.Count == 0)
        {
            return; // as dmstats, also where a region is named
        }

        int id = context.Options.Has(Option.AllRegions) ? AllRegions : Number(context, Option.RegionId);
        foreach (Region region in id == AllRegions ? table.Regions : [Find(table, id)])
        {
            RegionTable.Send(context, device, $"@stats_clear {region.Id}");
        }
    }

    /// <summary>Prints counters; those of all regions twice, as dmstats does, the second time after they were set to 0 if that is wanted.</summary>
    public static void Print(VerbContext context, DeviceSelector device)
    {
        string verb = context.Options.Has(Option.Clear) ? "@stats_print_clear" : "@stats_print";
        RegionTable table = RegionTable.Read(context, device, RegionTable.DefaultProgram);
        if (!context.Options.Has(Option.AllRegions))
        {
            context.Out.Write(RegionTable.Send(context, device, $"{verb} {unchecked((ulong)Number(context, Option.RegionId))} "));
            return;
        }

        foreach (Region region in table.Regions)
        {
            context.Out.Write(RegionTable.Send(context, device, $"{verb} {region.Id} "));
            context.Out.Write(RegionTable.Send(context, device, $"{verb} {region.Id} "));
        }
    }

    /// <summary>Deletes a region, a group with its regions, or all regions of a program.</summary>
    public static void Delete(VerbContext context, DeviceSelector device)
    {
        CommandLine options = context.Options;
        string program = options.Value(Option.ProgramId) ?? RegionTable.DefaultProgram;
        if (options.Has(Option.AllPrograms))
        {
            // As dmstats, which looks for a single region among those of a program of its own name.
            program = options.Has(Option.GroupId) || options.Has(Option.AllRegions) ? "" : "dmsetup";
        }

        RegionTable table = RegionTable.Read(context, device, program);
        if (options.Has(Option.AllRegions) && table.Regions.Count == 0)
        {
            return;
        }

        if (options.Has(Option.GroupId))
        {
            int group = Number(context, Option.GroupId);
            table.DeleteGroup(group, withRegions: true);
            context.Out.WriteLine($"Deleted statistics group {group}.");
            return;
        }

        foreach (Region region in options.Has(Option.AllRegions) ? [.. table.Regions] : new[] { Find(table, Number(context, Option.RegionId)) })
        {
            table.Delete(region);
        }
    }

    /// <summary>Joins regions to a group.</summary>
    public static void Group(VerbContext context, DeviceSelector device, string? shown)
    {
        string regions = context.Options.Value(Option.Regions)!;
        RegionTable table = RegionTable.Read(context, device, RegionTable.DefaultProgram);
        int group = table.MakeGroup(regions, context.Options.Value(Option.Alias));
        context.Out.WriteLine($"Grouped regions {regions} as group ID {group} on {shown ?? "(null)"}");
    }

    /// <summary>Takes a group apart. As dmstats, it prints that also where it failed.</summary>
    public static void Ungroup(VerbContext context, DeviceSelector device, string? shown)
    {
        int group = Number(context, Option.GroupId);
        RegionTable table = RegionTable.Read(context, device, RegionTable.DefaultProgram);
        try
        {
            table.DeleteGroup(group, withRegions: false);
        }
        finally
        {
            context.Out.WriteLine($"Removed group ID {unchecked((ulong)group)} on {shown ?? "(null)"}");
        }
    }

    private static int Number(VerbContext context, Option option) => NumberPrefix.Int32(context.Options.Value(option));

    private static Region Find(RegionTable table, int id) => table.Find(id) ?? throw new VerbException($"there is no region {id}");
}
