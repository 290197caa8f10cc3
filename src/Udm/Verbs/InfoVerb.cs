using DeviceMapper.Ioctl;
using Udm.Reports;

namespace Udm.Verbs;

/// <summary>Tells what devices are like.</summary>
internal sealed class InfoVerb : DeviceVerb
{
    /// <inheritdoc/>
    public override string Name => "info";

    /// <inheritdoc/>
    public override string Usage =>
        """
        [--inactive] [--json] [DEVICE...]
        -c|-C|--columns [-o COLUMNS] [-O|--sort COLUMNS] [--noheadings] [--separator TEXT]
            [--nameprefixes [--unquoted]] [--rows] [-S SELECTION] [--inactive]
            [--count N] [--interval SECONDS] [DEVICE...]
        """;

    /// <inheritdoc/>
    public override string Summary => "Tells what devices are like.";

    /// <inheritdoc/>
    public override string Help =>
        """
          -c, -C, --columns  a line a device
          -o COLUMNS         which columns; with a leading + besides the usual ones; 'udm help -c' lists them
          -O, --sort         sorts by columns; -COLUMN sorts downwards
          --noheadings       no headings, and colons between values
          --separator TEXT   what stands between values
          --nameprefixes     as DM_COLUMN='value', for a shell; --unquoted leaves the quotes out
          --rows             a line a column
          -S, --select       only devices of which it is true: comparisons of columns by = != =~ !~ < <= > >=,
                             joined by &&, || and !( )
          --count, --interval  reports so many times (0: without an end), every so many seconds
          --inactive         counts the targets of the inactive table
          --json             the same as JSON, with the columns of -o by their names

        Examples:
          udm info data
          udm info -c --noheadings -o name,open,uuid
          udm info -c -S 'open>0 && name=~^vg'
        """;

    /// <inheritdoc/>
    protected override bool DefaultsToAll => true;

    private Report<DeviceRow>? _report;
    private Lazy<DeviceTree>? _tree;
    private Selection<DeviceRow>? _selection; // null: of a report, nothing

    /// <inheritdoc/>
    protected override bool PrintsDevices => _report is null; // else the report does

    /// <inheritdoc/>
    protected override bool SelectsDevices => false;

    /// <inheritdoc/>
    protected override (DmCommand Command, DmFlags Flags)? Question(VerbContext context) => (DmCommand.DevStatus, context.Flags);

    /// <inheritdoc/>
    public override bool RepeatsItself(CommandLine options) => options.Has(Option.Columns);

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        string fields = context.Options.Value(Option.Fields) ?? DeviceColumns.Default;
        string keys = context.Options.Value(Option.Sort) ?? "", selection = context.Options.Value(Option.Select) ?? "";
        if (!context.Options.Has(Option.Columns))
        {
            return base.Run(context);
        }

        if (new[] { fields, keys, selection }.Any(ColumnList.IsAskedFor))
        {
            ColumnList.Write(context.Out);
            return 0;
        }

        fields = DeviceColumns.Wanted(fields);
        try
        {
            _report = new Report<DeviceRow>(DeviceColumns.All, fields, keys);
            _selection = DeviceColumns.Select(selection);
            DeviceReport.LookAround(context, _report, _selection);
        }
        catch (UsageException) when (StatisticsColumns.Have(fields, keys, selection))
        {
            context.Warn("columns of statistics are those of 'udm stats report': with them this report is empty, as dmsetup's is");
            _report = new Report<DeviceRow>(DeviceColumns.All, "");
            _selection = null;
        }

        int status = 0;
        Repetition.Run(context, () => status = ReportOnce(context, _report));
        return status;
    }

    private int ReportOnce(VerbContext context, Report<DeviceRow> report)
    {
        _tree = new Lazy<DeviceTree>(() => new DeviceTree(context.Devices));
        try
        {
            return base.Run(context);
        }
        finally
        {
            // What was found before a failure is printed.
            if (context.PrintsJson)
            {
                report.WriteJson(context.Out, "devices");
            }
            else
            {
                report.Write(context.Out, ReportFormat.From(context.Options));
            }
        }
    }

    /// <inheritdoc/>
    protected override void RunOn(VerbContext context, DeviceSelector device, bool several)
    {
        DeviceInfo info = context.Devices.Find(device, context.Flags) ?? throw new VerbException("no mapped device is called so");
        if (_report is not null && _selection is not null)
        {
            DeviceRow row = new(info, context.Devices, _tree!);
            row.IsSelected = _selection.Matches(row);
            if (row.IsSelected || _report.Columns.Any(column => column.Id == "selected"))
            {
                _report.Add(row);
            }
        }
        else if (_report is not null)
        {
            return;
        }
        else if (context.Json is { } json)
        {
            DeviceJson.Write(json.Writer, info);
        }
        else
        {
            InfoText.Write(context.Out, info);
        }
    }
}
