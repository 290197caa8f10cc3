using System.Text.Json;
using Udm.Reports;
using Udm.Statistics;

namespace Udm.Tests.Verbs;

public sealed class WatchVerbTests : IDisposable
{
    private readonly LocalVerbs _udm = new();

    public void Dispose() => _udm.Dispose();

    [Fact]
    public void A_row_has_rates_and_latencies_of_its_interval()
    {
        AreaCounters counters = AreaCounters.Parse("0+2048 100 0 800 5000000 50 0 102400 20000000 3 1000000000 0 0 0", 1, hasHistogram: false);
        WatchRow row = WatchRow.Of("disk", false, counters, TimeSpan.FromSeconds(2));
        Assert.Equal((50, 25, 204800, 26214400), (row.ReadsPerSecond, row.WritesPerSecond, row.ReadBytesPerSecond, row.WriteBytesPerSecond));
        Assert.Equal((50, 400, 3ul, 50), (row.ReadLatency!.Value, row.WriteLatency!.Value, row.InFlight, row.BusyPercent));
        Assert.Equal("disk                   50       25      0.2       25       50      400     3    50", row.ToString());
    }

    [Fact]
    public void It_shows_devices_and_their_paths_and_leaves_nothing_behind()
    {
        _udm.Registry.Create("a", "0 8 zero");
        _udm.Registry.Create("mp", $"0 2048 multipath 0 0 1 1 round-robin 0 1 1 {_udm.Disk("path")} 1");
        _udm.Registry.Create("empty");
        string[] lines = _udm.Ok("watch", "--count", "2", "--interval", "0.01").Split('\n');
        string[] starts = ["Name ", "a   ", "empty ", "mp ", $"  {_udm.Folder}/path  active, 0 in flight", ""];
        Assert.Equal(2 * starts.Length, lines.Length);
        Assert.All(lines.Zip(starts.Concat(starts)), pair => Assert.StartsWith(pair.Second, pair.First));
        Assert.All(["a", "mp", "empty"], name => Assert.Equal("", _udm.Ok("message", name, "0", "@stats_list")));
        Assert.Contains("a ", _udm.Ok("watch", "--count", "1", "--interval", "0.01", "a"));
    }

    [Fact]
    public void JSON_is_a_line_each_time()
    {
        _udm.Registry.Create("a", "0 8 zero");
        string[] lines = _udm.Ok("watch", "--json", "--count", "2", "--interval", "0.01").TrimEnd('\n').Split('\n');
        Assert.Equal(2, lines.Length);
        using JsonDocument json = JsonDocument.Parse(lines[1]);
        JsonElement device = json.RootElement.GetProperty("devices")[0];
        string page = File.ReadAllText(Path.Combine(RepositoryTests.Root, "docs", "json.md"));
        Assert.All(device.EnumerateObject(), property => Assert.Contains($"`{property.Name}`", page));
        Assert.Equal(JsonValueKind.Null, device.GetProperty("read_latency_us").ValueKind);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("x")]
    public void An_interval_that_is_none_is_refused(string interval) =>
        Assert.Equal((2, "", $"udm: watch: --interval: '{interval}' is not a positive number of seconds; see udm watch --help\n"), _udm.Run("watch", "--interval", interval));

    [Fact]
    public void A_device_that_is_not_there_is_refused() =>
        Assert.Equal((1, "", "udm: watch nosuch: there is no mapped device 'nosuch' (No such device or address)\n"), _udm.Run("watch", "nosuch"));
}
