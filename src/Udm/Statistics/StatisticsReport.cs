using System.Diagnostics;
using Udm.Reports;
using Udm.Verbs;

namespace Udm.Statistics;

/// <summary><c>stats list</c> and <c>stats report</c>, which may be repeated.</summary>
internal sealed class StatisticsReport
{
    private const ulong NanosecondsInSecond = 1_000_000_000;

    private readonly VerbContext _context;
    private readonly bool _isList;
    private readonly string _fields;
    private readonly Report<StatisticsRow>? _report;
    private readonly Selection<StatisticsRow>? _selection;
    private readonly SizeUnit _unit;
    private readonly TimeSpan _wait;
    private readonly Stopwatch _clock = new();
    private readonly Lazy<DeviceTree> _tree;

    private ulong _interval; // nanoseconds that the counters are of
    private bool _newInterval = true;

    /// <summary>Reads the options of reports.</summary>
    /// <exception cref="UsageException">A column, the selection or a unit is none.</exception>
    public StatisticsReport(VerbContext context, bool isList)
    {
        _context = context;
        _isList = isList;
        CommandLine options = context.Options;
        string byDefault = isList
            ? StatisticsColumns.ForList(options.Has(Option.Verbose), options.Has(Option.Histogram))
            : StatisticsColumns.ForReport(options.Has(Option.Raw), options.Has(Option.Histogram), options.Has(Option.Relative));
        _fields = options.Value(Option.Fields) is not { } fields ? byDefault : fields.StartsWith('+') ? $"{byDefault},{fields[1..]}" : fields;
        _tree = new Lazy<DeviceTree>(() => new DeviceTree(context.Devices));
        if (IsHelp)
        {
            return;
        }

        _report = new Report<StatisticsRow>(StatisticsColumns.All, _fields, options.Value(Option.Sort) ?? "");
        _selection = Selection<StatisticsRow>.Parse(StatisticsColumns.All, options.Value(Option.Select) ?? "");
        _unit = SizeUnit.Parse(options.Value(Option.Units) ?? "h") ?? throw new UsageException($"--units: '{options.Value(Option.Units)}' is no unit");
        _wait = Repetition.IntervalOf(options);
    }

    /// <summary>Whether the list of columns is asked for.</summary>
    public bool IsHelp => ColumnList.IsAskedFor(_fields);

    /// <summary>Prints the columns.</summary>
    public static void WriteColumns(TextWriter output)
    {
        output.WriteLine("Columns of 'udm stats list -o' and 'udm stats report -o', and those of 'udm info -c':");
        foreach (IGrouping<string, Column<StatisticsRow>> group in StatisticsColumns.All.GroupBy(column => column.Group))
        {
            output.WriteLine();
            output.WriteLine(group.Key == Report<StatisticsRow>.SpecialGroup ? "  in no group" : $"  {group.Key}_all");
            foreach (Column<StatisticsRow> column in group)
            {
                output.WriteLine($"    {column.Id,-22} {column.Description}");
            }
        }
    }

    /// <summary>Prints the report as often as it is asked for.</summary>
    public void Run() => Repetition.Run(_context, () =>
    {
        _newInterval = true;
        StatisticsDevices.ForEach(_context, (device, _) => Collect(device));
        _report!.Write(_context.Out, ReportFormat.From(_context.Options));
    });

    private void Collect(DeviceSelector device)
    {
        CommandLine options = _context.Options;
        DeviceInfo info = _context.Devices.Find(device, _context.Flags) ?? throw new VerbException("no mapped device is called so");
        string program = options.Has(Option.AllPrograms) ? "" : options.Value(Option.ProgramId) ?? RegionTable.DefaultProgram;
        RegionTable table = RegionTable.Read(_context, DeviceSelector.ByNumber(info.Number), program);
        if (table.Regions.Count == 0)
        {
            return;
        }

        if (!_isList || _report!.Columns.Any(column => column.Group == "stats"))
        {
            table.TakeCounters();
            Tick();
        }

        HistogramParts histograms = (options.Has(Option.NoHeadings) ? HistogramParts.Narrow : 0) | (options.Has(Option.NoTimeSuffix) ? 0 : HistogramParts.Units);
        DeviceRow deviceRow = new(info, _context.Devices, _tree);
        bool showsAll = _report!.Columns.Any(column => column.Id == "selected");
        (HashSet<ObjectType> types, bool skipsSingleAreas) = Wanted();
        foreach (StatisticsObject item in StatisticsObject.Of(table, types, skipsSingleAreas))
        {
            StatisticsRow row = new(deviceRow, item, _interval, _unit, histograms);
            row.IsSelected = _selection!.Matches(row);
            if (row.IsSelected || showsAll)
            {
                _report.Add(row);
            }
        }
    }

    private (HashSet<ObjectType> Types, bool SkipsSingleAreas) Wanted()
    {
        CommandLine options = _context.Options;
        HashSet<ObjectType> types = [];
        types.UnionWith(options.Has(Option.Area) ? [ObjectType.Area] : []);
        types.UnionWith(options.Has(Option.Region) ? [ObjectType.Region] : []);
        types.UnionWith(options.Has(Option.Group) ? [ObjectType.Group] : []);
        bool all = _isList ? options.Has(Option.Verbose) : types.Count == 0;
        return all ? ([ObjectType.Area, ObjectType.Region, ObjectType.Group], true)
            : types.Count == 0 ? ([ObjectType.Region, ObjectType.Group], false)
            : (types, false);
    }

    /// <summary>The first report's counters are taken for those of one interval, since nobody knows when they began.</summary>
    private void Tick()
    {
        if (_newInterval)
        {
            _interval = _clock.IsRunning ? (ulong)_clock.Elapsed.TotalNanoseconds : (ulong)_wait.TotalSeconds * NanosecondsInSecond;
            _clock.Restart();
            _newInterval = false;
        }
    }
}
