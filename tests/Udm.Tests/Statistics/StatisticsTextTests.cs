using Udm.Statistics;
using Udm.Verbs;

namespace Udm.Tests.Statistics;

/// <summary>Sizes, sets, boundaries and histograms as libdm reads and writes them.</summary>
public sealed class StatisticsTextTests
{
    [Theory]
    [InlineData("h", 0, "0")]
    [InlineData("h", 1, "512b")]
    [InlineData("h", 3, "1.50k")]
    [InlineData("h", 8192, "4.00m")]
    [InlineData("h", 2304, "1.12m")] // 1.125: to the even one
    [InlineData("h", 6912, "3.38m")] // 3.375: to the even one
    [InlineData("h", 2000, "1000.00k")]
    [InlineData("h", 0x8000000000000000, "0b")] // 2^72 bytes, which is 0 of 64 bits
    [InlineData("H", 8192, "4.19M")]
    [InlineData("H", 1, "512B")]
    [InlineData("r", 8191, "<4.00m")]
    [InlineData("b", 8192, "4194304")]
    [InlineData("s", 8192, "8192")]
    [InlineData("K", 100, "51.20")]
    [InlineData("3k", 100, "16.67")]
    [InlineData("1.5m", 8192, "2.67")]
    public void A_size_is_written_in_its_unit(string unit, ulong sectors, string expected) => Assert.Equal(expected, SizeUnit.Parse(unit)!.Value.Write(sectors));

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("3")]
    [InlineData("0k")]
    public void What_is_no_unit_is_none(string unit) => Assert.Null(SizeUnit.Parse(unit));

    [Theory]
    [InlineData("8", 4096UL)]
    [InlineData("1m", 1048576UL)]
    [InlineData("1M", 1000000UL)]
    [InlineData("100b", 100UL)]
    [InlineData("5x", 5UL)] // an unknown unit is bytes
    [InlineData("x", null)]
    [InlineData("", null)]
    public void A_size_of_the_command_line_is_sectors_unless_said(string text, ulong? bytes) => Assert.Equal(bytes, SizeUnit.ParseSize(text));

    [Theory]
    [InlineData("0", "0")]
    [InlineData("0-2,5", "0-2,5")]
    [InlineData("5,2,1,0", "0-2,5")]
    [InlineData(" 3 , 5 ", "3,5")]
    [InlineData("3,,5", "3,5")]
    [InlineData("", "")]
    [InlineData("5-3", null)]
    [InlineData("3-", null)]
    [InlineData("-3", null)]
    [InlineData("x", null)]
    [InlineData("99999999999", null)]
    public void A_set_of_regions_is_read_and_written(string text, string? expected) => Assert.Equal(expected, RegionSet.Parse(text) is { } set ? RegionSet.Write(set) : null);

    [Theory]
    [InlineData("10ms,20ms,1s", "histogram:10,20,1000", false)]
    [InlineData("10us,5ms", "histogram:10000,5000000", true)]
    [InlineData("10ms,20", "histogram:10,20", false)] // the unit stays
    [InlineData("1,2,3000", "histogram:1,2,3000", true)]
    public void Boundaries_become_an_option(string text, string expected, bool isPrecise)
    {
        bool precise = false;
        Assert.Equal(expected, LatencyBounds.Option(LatencyBounds.Parse(text), ref precise));
        Assert.Equal(isPrecise, precise);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("1,")]
    [InlineData(",1")]
    [InlineData("1,,2")]
    [InlineData("2,1")]
    [InlineData("1x")]
    [InlineData("1xs")]
    [InlineData("ms")]
    public void Boundaries_that_are_malformed_are_refused(string text)
    {
        bool precise = false;
        Assert.Throws<VerbException>(() => LatencyBounds.Option(LatencyBounds.Parse(text), ref precise));
    }

    [Theory]
    [InlineData(HistogramParts.Counts, "     1     2     0")]
    [InlineData(HistogramParts.Counts | HistogramParts.Narrow, "1:2:0")]
    [InlineData(HistogramParts.Counts | HistogramParts.Lower | HistogramParts.Units, "    0s:     1,  10us:     2,   5ms:     0")]
    [InlineData(HistogramParts.Counts | HistogramParts.Lower, "         0:     1,     10000:     2,   5000000:     0")]
    [InlineData(HistogramParts.Counts | HistogramParts.Range | HistogramParts.Units, "0s-10us:    1,10us-5ms:   2,  >5ms:     0")]
    [InlineData(HistogramParts.Percent | HistogramParts.Narrow, "33.33%:66.67%:0.00%")]
    [InlineData(HistogramParts.Range | HistogramParts.Units, "0s-10us,10us-5ms,>5ms")]
    internal void A_histogram_has_the_forms_of_libdm(HistogramParts parts, string expected) =>
        Assert.Equal(expected, new Histogram([10_000, 5_000_000, ulong.MaxValue], [1, 2, 0]).Write(parts));

    [Fact]
    public void A_region_is_read_with_its_group()
    {
        Region region = Region.Parse("4: 2048+100 40 dmstats DMS_GROUP=two:4,6-7#mine");
        RegionGroup group = region.TakeGroup(_ => Assert.Fail("nothing is wrong"))!;
        Assert.Equal((4, 2048UL, 100UL, 40UL, 3UL, "mine"), (region.Id, region.Start, region.Length, region.Step, region.AreaCount, region.UserData));
        Assert.Equal("two", group.Alias);
        Assert.Equal([4, 6, 7], group.Members);
        Assert.Equal("DMS_GROUP=two:4,6-7#mine", region.DataWith(group));
        Assert.Equal("mine", region.DataWith(null));
    }

    [Theory]
    [InlineData("1: 0+8 8 dmstats DMS_GROUP=bad")]
    [InlineData("1: 0+8 8 dmstats DMS_GROUP=bad:x")]
    [InlineData("1: 0+8 8 dmstats DMS_GROUP=wrong:0")]
    public void A_malformed_group_is_told_of(string line)
    {
        List<string> warnings = [];
        Assert.Null(Region.Parse(line).TakeGroup(warnings.Add));
        Assert.Single(warnings);
    }
}
