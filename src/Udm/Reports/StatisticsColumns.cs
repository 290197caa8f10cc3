using System.Globalization;
using Udm.Statistics;
using Udm.Verbs;

namespace Udm.Reports;

/// <summary>A row of <c>stats list</c> and <c>stats report</c>.</summary>
/// <param name="Device">The device.</param>
/// <param name="Object">The area, region or group.</param>
/// <param name="Interval">Nanoseconds in which the counters came together.</param>
/// <param name="Unit">In what sizes are shown.</param>
/// <param name="Histograms">How histograms are shown: with units, or narrow.</param>
internal sealed record StatisticsRow(DeviceRow Device, StatisticsObject Object, ulong Interval, SizeUnit Unit, HistogramParts Histograms)
{
    /// <summary>Whether <c>-S</c> selects it.</summary>
    public bool IsSelected { get; set; } = true;
}

/// <summary>The columns of <c>stats list</c> and <c>stats report</c>: those of devices, then counters, rates, histograms, regions.</summary>
internal static class StatisticsColumns
{
    private const double Second = 1e9; // nanoseconds
    private const double Millisecond = 1e6;

    private const string Region = "stats_name,group_id,region_id,obj_type,region_start,region_len,area_count,area_len";
    private const string Areas = "stats_name,group_id,region_id,obj_type,region_start,region_len,area_count,area_id,area_start,area_len";
    private const string ReportArea = "stats_name,group_id,region_id,obj_type,area_id,area_start,area_len";

    /// <summary>The columns of a list without <c>-o</c>.</summary>
    public static string ForList(bool verbose, bool histogram) => (verbose ? Areas : Region) + (histogram ? ",hist_bins,hist_bounds" : ",program_id");

    /// <summary>The columns of a report without <c>-o</c>.</summary>
    public static string ForReport(bool raw, bool histogram, bool relative) =>
        histogram ? $"{Region},util,await,{(relative ? "hist_percent_bounds" : "hist_count_bounds")}"
        : raw ? ReportArea + ",read_count,reads_merged_count,read_sector_count,read_time,read_ticks"
            + ",write_count,writes_merged_count,write_sector_count,write_time,write_ticks,in_progress_count,io_ticks,queue_ticks"
        : ReportArea + ",reads_merged_per_sec,writes_merged_per_sec,reads_per_sec,writes_per_sec,read_size_per_sec,write_size_per_sec"
            + ",avg_request_size,queue_size,util,await,read_await,write_await";

    /// <summary>All columns, in dmsetup's order.</summary>
    public static IReadOnlyList<Column<StatisticsRow>> All { get; } =
    [
        .. DeviceColumns.All.Where(column => column.Group != Report<DeviceRow>.SpecialGroup).Select(OfDevice),

        Count("read_count", "#Reads", 6, Counter.Reads, "reads"),
        Count("reads_merged_count", "#RdMrgs", 7, Counter.ReadsMerged, "reads that began where the one before ended"),
        Count("read_sector_count", "#RdSectors", 10, Counter.ReadSectors, "sectors read"),
        Count("read_time", "AccRdTime", 11, Counter.ReadTime, "the time of all reads, ns"),
        Count("write_count", "#Writes", 7, Counter.Writes, "writes"),
        Count("writes_merged_count", "#WrMrgs", 7, Counter.WritesMerged, "writes that began where the one before ended"),
        Count("write_sector_count", "#WrSectors", 10, Counter.WriteSectors, "sectors written"),
        Count("write_time", "AccWrTime", 11, Counter.WriteTime, "the time of all writes, ns"),
        Count("in_progress_count", "#InProg", 7, Counter.InProgress, "I/O in flight"),
        Count("io_ticks", "IoTicks", 7, Counter.BusyTime, "the time in which there was I/O, ns"),
        Count("queue_ticks", "QueueTicks", 10, Counter.QueueTime, "the same, times the I/O in flight, ns"),
        Count("read_ticks", "RdTicks", 7, Counter.ReadBusyTime, "the time in which there were reads, ns"),
        Count("write_ticks", "WrTicks", 7, Counter.WriteBusyTime, "the time in which there were writes, ns"),

        // libdm divides the merges by the nanoseconds alone.
        Rate("reads_merged_per_sec", "RMrg/s", 6, row => row.Object[Counter.ReadsMerged] / (double)row.Interval, "merged reads a second"),
        Rate("writes_merged_per_sec", "WMrg/s", 6, row => row.Object[Counter.WritesMerged] / (double)row.Interval, "merged writes a second"),
        Rate("reads_per_sec", "R/s", 3, row => PerSecond(row, Counter.Reads), "reads a second"),
        Rate("writes_per_sec", "W/s", 3, row => PerSecond(row, Counter.Writes), "writes a second"),
        SizeRate("read_size_per_sec", "RSz/s", 5, row => PerSecond(row, Counter.ReadSectors), "size read a second"),
        SizeRate("write_size_per_sec", "WSz/s", 5, row => PerSecond(row, Counter.WriteSectors), "size written a second"),
        SizeRate("avg_request_size", "AvgRqSz", 7, row => Ratio(Sum(row, Counter.ReadSectors, Counter.WriteSectors), Ios(row)), "average size of an I/O"),
        Rate("queue_size", "QSize", 5, row => row.Object[Counter.QueueTime] / (double)row.Interval, "average number of I/O in flight"),
        Rate("await", "AWait", 5, row => Ratio(Sum(row, Counter.ReadTime, Counter.WriteTime), Ios(row)) / Millisecond, "average time of an I/O, ms"),
        Rate("read_await", "RdAWait", 7, row => Ratio(row.Object[Counter.ReadTime], row.Object[Counter.Reads]) / Millisecond, "average time of a read, ms"),
        Rate("write_await", "WrAWait", 7, row => Ratio(row.Object[Counter.WriteTime], row.Object[Counter.Writes]) / Millisecond, "average time of a write, ms"),
        Rate("throughput", "Throughput", 10, Throughput, "I/O a second"),
        Rate("service_time", "SvcTm", 5, row => ServiceTime(row) / Millisecond, "time of the device for an I/O, ms"),
        new("stats", "util", "Util%", 5, IsNumber: true, row => Utilization(row).Text, "share of the time in which there was I/O")
            { Key = row => (ulong)Utilization(row).Millionths },

        HistogramOf("hist_count", "Histogram Counts", 16, HistogramParts.Counts, "histogram of latencies"),
        HistogramOf("hist_count_bounds", "Histogram Counts", 16, HistogramParts.Counts | HistogramParts.Lower, "the same with lower boundaries"),
        HistogramOf("hist_count_ranges", "Histogram Counts", 16, HistogramParts.Counts | HistogramParts.Range, "the same with ranges"),
        HistogramOf("hist_percent", "Histogram%", 10, HistogramParts.Percent, "histogram of latencies in percent"),
        HistogramOf("hist_percent_bounds", "Histogram%", 10, HistogramParts.Percent | HistogramParts.Lower, "the same with lower boundaries"),
        HistogramOf("hist_percent_ranges", "Histogram%", 10, HistogramParts.Percent | HistogramParts.Range, "the same with ranges"),

        Number("stats", "interval_ns", "IntervalNs", 10, row => row.Interval, "the time that the counters are of, ns"),
        new("stats", "interval", "Interval", 8, IsNumber: true, row => (row.Interval / Second).ToString("F6", CultureInfo.InvariantCulture), "the same, s")
            { Key = row => BitConverter.DoubleToUInt64Bits(row.Interval / Second) },

        new("region", "region_id", "RgID", 4, IsNumber: true, RegionId, "number of the region, or the regions of a group") { Key = row => (ulong)row.Object.Region.Id },
        Size("region_start", "RgStart", 7, row => row.Object.Region.Start, "start of the region"),
        Size("region_len", "RgSize", 6, row => row.Object.Length, "size of the region or group"),
        Number("region", "area_id", "ArID", 4, row => (ulong)row.Object.Area, "number of the area"),
        Size("area_start", "ArStart", 7, row => row.Object.AreaStart, "start of the area on the device"),
        Size("area_len", "ArSize", 6, row => row.Object.AreaLength, "size of an area"),
        Size("area_offset", "ArOff", 5, row => row.Object.AreaOffset, "start of the area in the region"),
        Number("region", "area_count", "#Areas", 6, row => row.Object.AreaCount, "how many areas"),
        new("region", "group_id", "GrpID", 5, IsNumber: true, row => row.Object.Group is { } group ? $"{group.Id}" : "-", "number of the group")
            { Key = row => row.Object.Group is { } group ? (ulong)group.Id : ulong.MaxValue },
        Text("program_id", "ProgID", 6, row => row.Object.Type == ObjectType.Group ? RegionTable.DefaultProgram : row.Object.Region.ProgramId, "whose region it is"),
        Text("user_data", "UserData", 8, row => row.Object.Type == ObjectType.Group ? "" : row.Object.Region.UserData, "what its maker keeps with it"),
        NumberAsText("precise", "Precise", 7, row => row.Object.Region.IsPrecise ? 1 : 0, "whether it counts nanoseconds"),
        NumberAsText("hist_bins", "#Bins", 9, row => row.Object.Type == ObjectType.Group ? 0 : row.Object.Region.Bounds?.Count ?? 0, "how many bins the histogram has"),
        HistogramOf("hist_bounds", "Histogram Bounds", 16, HistogramParts.Lower, "lower boundaries of the histogram", "region"),
        HistogramOf("hist_ranges", "Histogram Ranges", 16, HistogramParts.Range, "ranges of the histogram", "region"),
        Text("stats_name", "Name", 16, row => row.Object.Name, "alias of the group, or the device's name"),
        Text("obj_type", "ObjType", 7, row => row.Object.Type.ToString().ToLowerInvariant(), "area, region or group"),

        new(Report<StatisticsRow>.SpecialGroup, "selected", "Selected", 8, IsNumber: true, row => row.IsSelected ? "1" : "0", "whether -S selects it; then all rows are shown"),
    ];

    /// <summary>Whether a report could have these columns, be sorted by these and be selected so.</summary>
    public static bool Have(string fields, string keys, string selection)
    {
        try
        {
            _ = new Report<StatisticsRow>(All, fields, keys);
            _ = Selection<StatisticsRow>.Parse(All, selection);
            return true;
        }
        catch (UsageException)
        {
            return false;
        }
    }

    private static Column<StatisticsRow> OfDevice(Column<DeviceRow> column) =>
        new(column.Group, column.Id, column.Heading, column.Width, column.IsNumber, row => column.Value(row.Device), column.Description);

    private static Column<StatisticsRow> Text(string id, string heading, int width, Func<StatisticsRow, string> value, string description) =>
        new("region", id, heading, width, IsNumber: false, value, description);

    // libdm keeps a number, and says that it is a text: it compares the number's bytes, which end at the first 0.
    private static Column<StatisticsRow> NumberAsText(string id, string heading, int width, Func<StatisticsRow, int> value, string description) =>
        Text(id, heading, width, row => value(row).ToString(CultureInfo.InvariantCulture), description) with
        {
            ComparedText = row => value(row) is > 0 and int number ? $"{(char)number}" : "",
        };

    private static Column<StatisticsRow> Number(string group, string id, string heading, int width, Func<StatisticsRow, ulong> value, string description) =>
        new(group, id, heading, width, IsNumber: true, row => value(row).ToString(CultureInfo.InvariantCulture), description) { Key = value };

    private static Column<StatisticsRow> Count(string id, string heading, int width, Counter counter, string description) =>
        Number("stats", id, heading, width, row => row.Object[counter], description);

    private static Column<StatisticsRow> Size(string id, string heading, int width, Func<StatisticsRow, ulong> sectors, string description) =>
        new("region", id, heading, width, IsNumber: true, row => row.Unit.Write(sectors(row)), description)
        {
            Key = row => BitConverter.DoubleToUInt64Bits(sectors(row)),
            IsSize = true,
        };

    // Rates are sorted, and compared with numbers, by the bits of the double that they are: in libdm their type says integer.
    private static Column<StatisticsRow> Rate(string id, string heading, int width, Func<StatisticsRow, double> value, string description) =>
        new("stats", id, heading, width, IsNumber: true, row => Fixed.Write(value(row), 2), description) { Key = row => BitConverter.DoubleToUInt64Bits(value(row)) };

    private static Column<StatisticsRow> SizeRate(string id, string heading, int width, Func<StatisticsRow, double> sectors, string description) =>
        new("stats", id, heading, width, IsNumber: true, row => row.Unit.Write((ulong)sectors(row)), description)
        {
            Key = row => BitConverter.DoubleToUInt64Bits(sectors(row)),
        };

    private static Column<StatisticsRow> HistogramOf(string id, string heading, int width, HistogramParts parts, string description, string group = "stats") =>
        new(group, id, heading, width, IsNumber: false, row => row.Object.Histogram?.Write(parts | row.Histograms) ?? "", description);

    private static string RegionId(StatisticsRow row) =>
        row.Object.Type == ObjectType.Group ? RegionSet.Write(row.Object.Group!.Members) : row.Object.Region.Id.ToString(CultureInfo.InvariantCulture);

    private static ulong Sum(StatisticsRow row, Counter first, Counter second) => row.Object[first] + row.Object[second];

    private static ulong Ios(StatisticsRow row) => Sum(row, Counter.Reads, Counter.Writes);

    private static double Ratio(ulong value, ulong count) => count == 0 ? 0 : (double)value / count;

    private static double PerSecond(StatisticsRow row, Counter counter) => row.Object[counter] * Second / row.Interval;

    private static double Throughput(StatisticsRow row) => Second * Ios(row) / row.Interval;

    private static double Share(StatisticsRow row) => Math.Min(row.Object[Counter.BusyTime], row.Interval) / (double)row.Interval;

    private static Percentage Utilization(StatisticsRow row) => Percentage.Of((ulong)(1_000_000 * Share(row)), 1_000_000);

    /// <summary>As libdm computes it: it takes the percents of the utilization for millionths of a percent.</summary>
    private static double ServiceTime(StatisticsRow row)
    {
        double throughput = Throughput(row);
        double percent = Share(row) * 100;
        return (ulong)throughput == 0 || (ulong)percent == 0 ? 0 : Second * new Percentage((int)percent).Value / (100 * throughput);
    }
}
