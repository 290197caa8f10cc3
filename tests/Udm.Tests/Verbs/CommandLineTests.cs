using Udm.Verbs;

namespace Udm.Tests.Verbs;

/// <summary>Links with the names of dmsetup's other selves.</summary>
public sealed class CommandLineTests
{
    [Theory]
    [InlineData("dmstats", "list x", "stats list x")]
    [InlineData("/usr/sbin/dmstats", "", "stats")]
    [InlineData("./udm", "ls", "ls")]
    [InlineData("dmsetup", "ls", "ls")]
    [InlineData("/sbin/devmap_name", "252:1", "info --columns --noheadings --options=name --major=252 --minor=1")]
    [InlineData("devmap_name", "252 1", "info --columns --noheadings --options=name --major=252 --minor=1")]
    public void A_link_is_what_its_name_says(string program, string words, string meant) =>
        Assert.Equal(meant, string.Join(' ', CommandLine.Meant(program, words.Split(' ', StringSplitOptions.RemoveEmptyEntries))));

    [Fact]
    public void Devmap_name_prints_a_devices_name()
    {
        using LocalVerbs udm = new();
        udm.Ok("create", "a", "--notable");
        string number = udm.Ok("info", "-c", "--noheadings", "-o", "devno", "a").Trim();
        Assert.Equal("a\n", udm.Ok([.. CommandLine.Meant("devmap_name", [number])]));
        Assert.Equal("a\n", udm.Ok([.. CommandLine.Meant("devmap_name", number.Split(':'))]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("1 2 3")]
    [InlineData("x:y")]
    [InlineData("252:77")]
    public void Devmap_name_refuses_what_is_no_number_of_a_device(string words)
    {
        using LocalVerbs udm = new();
        (int status, string output, string error) = udm.Run([.. CommandLine.Meant("devmap_name", words.Split(' ', StringSplitOptions.RemoveEmptyEntries))]);
        Assert.Equal((1, ""), (status, output));
        Assert.Matches(@"^udm: [^\n]+\n$", error);
    }
}
