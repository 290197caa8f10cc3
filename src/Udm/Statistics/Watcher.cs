using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using DeviceMapper;
using DeviceMapper.Io;
using DeviceMapper.Ioctl;
using DeviceMapper.Mapping;
using Udm.Reports;
using Udm.Verbs;

namespace Udm.Statistics;

/// <summary>Counts the I/O of devices by a region of statistics on each, made when it is first seen and deleted at the end: nobody pays for it at other times.</summary>
/// <param name="context">The verb's surroundings.</param>
/// <param name="names">The devices; all if empty, also those that come later.</param>
internal sealed class Watcher(VerbContext context, IReadOnlyList<string> names) : IDisposable
{
    private const string Program = "udm-watch";

    private readonly Dictionary<DeviceNumber, (string Region, long Since)> _regions = [];

    /// <summary>What each device has done since it was asked for last; one that is new only begins to be counted.</summary>
    public IReadOnlyList<WatchRow> Take()
    {
        List<WatchRow> rows = [];
        foreach (DeviceSelector device in names.Count > 0 ? names.Select(name => context.Select(name)) : context.Devices.List().Select(d => DeviceSelector.ByNumber(d.Number)))
        {
            try
            {
                if (Take(device) is { } row)
                {
                    rows.Add(row);
                }
            }
            catch (DmException) when (names.Count == 0)
            {
                // It went away meanwhile.
            }
        }

        return rows;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach ((DeviceNumber number, (string region, _)) in _regions)
        {
            try
            {
                context.Devices.Message(DeviceSelector.ByNumber(number), default, $"@stats_delete {region}", DmFlags.None);
            }
            catch (DmException)
            {
                // The device went away, and its region with it.
            }
        }
    }

    private WatchRow? Take(DeviceSelector device)
    {
        (DeviceInfo info, IReadOnlyList<TargetText> targets) = context.Devices.Targets(device, DmFlags.NoFlush);
        DeviceSelector numbered = DeviceSelector.ByNumber(info.Number);
        if (!_regions.TryGetValue(info.Number, out (string Region, long Since) region))
        {
            string made = context.Devices.Message(numbered, default, $"@stats_create - /1 1 precise_timestamps {Program}", DmFlags.None)!.Trim();
            _regions[info.Number] = (made, Stopwatch.GetTimestamp());
            return null;
        }

        string answer = context.Devices.Message(numbered, default, $"@stats_print_clear {region.Region}", DmFlags.None) ?? "";
        TimeSpan interval = Stopwatch.GetElapsedTime(region.Since);
        _regions[info.Number] = (region.Region, Stopwatch.GetTimestamp());
        WatchRow row = WatchRow.Of(info.Name, info.IsSuspended, AreaCounters.Parse(answer.Split('\n')[0], 1, hasHistogram: false), interval);
        return targets is [{ Type: "multipath" }] ? row with { Paths = PathsOf(numbered) } : row;
    }

    private List<(string Path, string State, string Text)> PathsOf(DeviceSelector device)
    {
        using JsonDocument report = JsonDocument.Parse(context.Devices.Message(device, default, "show_paths", DmFlags.None) ?? "{\"groups\":[]}");
        return
        [
            .. report.RootElement.GetProperty("groups").EnumerateArray().SelectMany(group => group.GetProperty("paths").EnumerateArray()).Select(path => (
                path.GetProperty("path").ToString(),
                path.GetProperty("state").ToString(),
                string.Create(CultureInfo.InvariantCulture, $"{path.GetProperty("in_flight")} in flight, {path.GetProperty("latency_us")} µs"))),
        ];
    }
}
