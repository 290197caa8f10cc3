using Udm.Verbs;

namespace Udm.Reports;

/// <summary>
/// What dmsetup makes of <c>-o</c> and <c>-c</c>, whatever the verb: the words of <c>-o</c> are checked before anything is done; and with <c>-c</c> the
/// devices that <c>-v</c> tells of are rows of a report, which comes at the end.
/// </summary>
internal static class DeviceReport
{
    private static readonly string[] AlwaysOfColumns = ["splitname", "stats"];

    /// <summary>Checks the words.</summary>
    /// <returns>The report; null without <c>-c</c>.</returns>
    /// <exception cref="UsageException">A word is none of those that dmsetup takes there.</exception>
    public static Report<DeviceRow>? Of(VerbContext context, Verb verb)
    {
        CommandLine options = context.Options;
        if (!verb.IsOfDmsetup || AlwaysOfColumns.Contains(verb.Name))
        {
            return null;
        }

        if (options.Has(Option.Tree))
        {
            _ = TreeOptions.Parse(options.Value(Option.Fields), terminalWidth: null);
        }
        else if (!options.Has(Option.Columns))
        {
            _ = DeviceNamings.Parse(options);
        }

        if (!options.Has(Option.Columns) || verb.Name is "info" or "help")
        {
            return null;
        }

        if (options.Has(Option.Sort) && (verb.Name is "table" or "status"))
        {
            throw new UsageException("--sort is for 'info -c'");
        }

        Report<DeviceRow> report = new(DeviceColumns.All, DeviceColumns.Wanted(options.Value(Option.Fields)), options.Value(Option.Sort) ?? "");
        LookAround(context, report, DeviceColumns.Select(options.Value(Option.Select) ?? ""));
        return report;
    }

    /// <summary>
    /// Columns of the tree, also to sort by or to select by, make dmsetup look at all devices before it begins; where there is none it says so, once
    /// more than the verb itself.
    /// </summary>
    public static void LookAround(VerbContext context, Report<DeviceRow> report, Selection<DeviceRow> selection)
    {
        if (!context.PrintsJson && report.Columns.Concat(selection.Columns).Any(column => column.Group == "tree") && context.Devices.List().Count == 0)
        {
            context.Out.WriteLine("No devices found");
        }
    }
}
