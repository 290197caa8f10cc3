using Udm.Reports;
using Udm.Statistics;

namespace Udm.Verbs;

/// <summary>Counts I/O of devices, by regions: dmstats.</summary>
internal sealed class StatsVerb : Verb
{
    /// <inheritdoc/>
    public override string Name => "stats";

    /// <inheritdoc/>
    public override string Usage =>
        """
        create DEVICE...|--alldevices [--areas N|--areasize SIZE] [--start SIZE] [--length SIZE] [--segments]
            [--bounds TIME,...] [--precise] [--programid ID] [--userdata WORD] [--alias NAME] [--nogroup]
        create --filemap FILE... --nomonitor [--bounds TIME,...] [--alias NAME] [--nogroup]
        list [DEVICE...] [-v] [--histogram] [--programid ID|--allprograms]
        report [DEVICE...] [--interval SECONDS] [--count N] [--raw] [--histogram [--relative]]
            [--area] [--region] [--group] [--programid ID|--allprograms]
        print --regionid N|--allregions [--clear] [DEVICE...]
        clear --regionid N|--allregions [DEVICE...]
        delete --regionid N|--groupid N|--allregions [--programid ID|--allprograms] DEVICE...|--alldevices
        group --regions N-M,... [--alias NAME] DEVICE...|--alldevices
        ungroup --groupid N DEVICE...|--alldevices
        """;

    /// <inheritdoc/>
    public override string Summary => "Counts the I/O of devices by regions and areas, and reports it; the verbs and reports are dmstats'.";

    /// <inheritdoc/>
    public override string Help =>
        """
          create    makes a region of the whole device, or from --start and of --length, or of each target (--segments), or of
                    each extent of a file in a file system on the device (--filemap), with --areas or areas of --areasize
          list      what regions and groups there are
          report    rates since the last report, which sets the counters to 0
          print     the counters as the device prints them
          clear     sets counters to 0
          delete    deletes regions, or a group with its regions
          group     joins regions to a group, which is reported as one
          ungroup   takes a group apart

          --bounds TIME,...  with a histogram of latencies; TIME is a number with ns, us, ms or s
          --precise          counts nanoseconds
          --units UNIT       of sizes: h, b, s, k, m, g, t, p, e; in capitals powers of 1000
          --nosuffix, --notimesuffix
                             sizes and times without units
          -o, -O, -S, --noheadings, --nameprefixes, --unquoted, --rows, --separator
                             as with 'info -c'; 'udm stats help -c' lists the columns

        SIZE is a number of sectors, or has a unit. A link to udm with the name dmstats is this verb.

        Example:
          udm stats create --areas 4 --bounds 1ms,10ms,100ms data
          udm stats report --interval 1 --count 2 data
        """;

    /// <inheritdoc/>
    public override int MinOperands => 1;

    /// <inheritdoc/>
    public override bool RepeatsItself(CommandLine options) => true;

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        CommandLine options = context.Options;
        string command = context.Operands[0];
        if (command == "help")
        {
            return ShowHelp(context);
        }

        if (NumberPrefix.Int32(options.Value(Option.Count)) < 0)
        {
            throw new UsageException("--count: a number that is not negative is expected");
        }

        if (options.Has(Option.Interval) && NumberPrefix.Int32(options.Value(Option.Interval)) <= 0)
        {
            throw new UsageException("--interval: a positive number of seconds is expected");
        }

        StatisticsReport report = new(context, isList: command == "list");
        if (report.IsHelp)
        {
            StatisticsReport.WriteColumns(context.Error);
            return 0;
        }

        Exclude(options, Option.AllPrograms, Option.ProgramId);
        Exclude(options, Option.AllRegions, Option.RegionId);
        Exclude(options, Option.Follow, Option.NoMonitor);
        switch (command)
        {
            case "list" or "report":
                report.Run();
                break;
            case "create" when options.Has(Option.FileMap):
                FileMapping.Check(options);
                foreach (string file in context.Operands.Count > 1 ? context.Operands.Skip(1) : throw new UsageException("--filemap: no file is named"))
                {
                    FileMapping.Create(context, file);
                }

                break;
            case "create":
                RegionCreation creation = new(context);
                StatisticsDevices.ForEach(context, (device, _) => creation.Create(device), needsAllDevices: true);
                break;
            case "clear":
                RequireRegions(options);
                StatisticsDevices.ForEach(context, (device, _) => RegionCommands.Clear(context, device));
                break;
            case "print":
                RequireRegions(options);
                StatisticsDevices.ForEach(context, (device, _) => RegionCommands.Print(context, device));
                break;
            case "delete":
                Exclude(options, Option.RegionId, Option.GroupId);
                if (!options.Has(Option.GroupId))
                {
                    RequireRegions(options);
                }

                StatisticsDevices.ForEach(context, (device, _) => RegionCommands.Delete(context, device), needsAllDevices: true);
                break;
            case "group":
                Require(options, Option.Regions);
                StatisticsDevices.ForEach(context, (device, shown) => RegionCommands.Group(context, device, shown), needsAllDevices: true);
                break;
            case "ungroup":
                Require(options, Option.GroupId);
                StatisticsDevices.ForEach(context, (device, shown) => RegionCommands.Ungroup(context, device, shown), needsAllDevices: true);
                break;
            case "version":
                return new VersionVerb().Run(context);
            case "update_filemap":
                throw new VerbException("files are not followed as they change: delete the group, and map the file again");
            default:
                throw new UsageException($"there is no command '{command}'");
        }

        return 0;
    }

    private int ShowHelp(VerbContext context)
    {
        HelpVerb.WriteOne(context.Error, this);
        if (context.Options.Has(Option.Columns) || context.Operands is [_, "report", ..])
        {
            context.Error.WriteLine();
            StatisticsReport.WriteColumns(context.Error);
        }

        return 0;
    }

    private static void Exclude(CommandLine options, Option one, Option other)
    {
        if (options.Has(one) && options.Has(other))
        {
            throw new UsageException($"{OptionForm.Of(one)} and {OptionForm.Of(other)} exclude each other");
        }
    }

    private static void Require(CommandLine options, Option option)
    {
        if (!options.Has(option))
        {
            throw new UsageException($"{OptionForm.Of(option)} is missing");
        }
    }

    private static void RequireRegions(CommandLine options)
    {
        if (!options.Has(Option.RegionId) && !options.Has(Option.AllRegions))
        {
            throw new UsageException("--regionid or --allregions is missing");
        }
    }
}
