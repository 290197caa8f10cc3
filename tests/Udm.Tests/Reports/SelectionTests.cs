using Udm.Reports;
using Udm.Verbs;

namespace Udm.Tests.Reports;

public sealed class SelectionTests
{
    private static readonly Column<(string Name, int Open)>[] Columns =
    [
        new("g", "name", "Name", 4, IsNumber: false, row => row.Name, ""),
        new("g", "open_count", "Open", 4, IsNumber: true, row => $"{row.Open}", ""),
    ];

    private static readonly (string Name, int Open)[] Rows = [("x", 2), ("yy", 0), ("o d", 1), ("", 7)];

    [Theory]
    [InlineData("", "x,yy,o d,")]
    [InlineData("name=x", "x")]
    [InlineData(" NAME = 'o d' ", "o d")]
    [InlineData("name!=x", "yy,o d,")]
    [InlineData("name=", "")]
    [InlineData("name==x", null)]
    [InlineData("opencount>=1 && name=~.", "x,o d")]
    [InlineData("open_count=2.0", "x")]
    [InlineData("open_count=1.5", null)]
    [InlineData("open_count=18446744073709551615", null)]
    [InlineData("name=x || name=yy && open_count=2", "x")]
    [InlineData("(name=x || name=yy) , !(open_count=2)", "yy")]
    [InlineData("name=x#name=yy", "x,yy")]
    [InlineData("!(!(name=x))", "yy,o d,")] // a mark on what is in the parentheses
    [InlineData("!(!(name=x) && open_count>=0)", "x")]
    [InlineData("name=~'^(x|yy)$'", "x,yy")]
    [InlineData("name=~[^x]", "x")]
    [InlineData("name!~^.$", "yy,o d,")]
    [InlineData("name=~x\\|y", null)]
    public void It_selects_as_libdm(string selection, string? expected)
    {
        Selection<(string Name, int Open)> read = Selection<(string Name, int Open)>.Parse(Columns, selection);
        string[] selected = [.. Rows.Where(read.Matches).Select(row => row.Name)];
        Assert.Equal(expected is null ? [] : expected.Split(','), selected);
    }

    [Theory]
    [InlineData(" ")]
    [InlineData("name")]
    [InlineData("=x")]
    [InlineData("name=o d")]
    [InlineData("name=x name=yy")]
    [InlineData("name>x")]
    [InlineData("name=~(x")]
    [InlineData("name=~\"\"")]
    [InlineData("name=~*")]
    [InlineData("name=~\"(?=x)\"")]
    [InlineData("name=~[a-c]-b")]
    [InlineData("name=\"x")]
    [InlineData("open_count=x")]
    [InlineData("open_count='2'")]
    [InlineData("open_count=-1")]
    [InlineData("open_count=2k")]
    [InlineData("open_count=18446744073709551616")]
    [InlineData("open_count=~1")]
    [InlineData("!name=x")]
    [InlineData("!!(name=x)")]
    [InlineData("(name=x")]
    [InlineData("name=x)")]
    [InlineData("()")]
    [InlineData("name=x &&")]
    [InlineData("nosuch=1")]
    public void What_libdm_refuses_is_refused_with_a_sentence(string selection)
    {
        UsageException refusal = Assert.Throws<UsageException>(() => Selection<(string Name, int Open)>.Parse(Columns, selection));
        Assert.StartsWith("--select: ", refusal.Message, StringComparison.Ordinal);
    }

    /// <summary>Whatever the words, it is read or refused, and never anything else happens.</summary>
    [Fact]
    public void Random_selections_are_read_or_refused()
    {
        string[] words = ["name", "open_count", "=", "!=", "=~", "!~", ">", "<=", "x", "yy", "1", "2.", ".", "(", ")", "!", "&&", "||", ",", "#", "'", "\"", "[", "]", "{", "}", "*", "\\", " ", "é"];
        Random random = new(4);
        int taken = 0;
        for (int round = 0; round < 100_000; round++)
        {
            string text = string.Concat(Enumerable.Range(0, random.Next(1, 9)).Select(_ => words[random.Next(words.Length)]));
            try
            {
                _ = Rows.Count(Selection<(string Name, int Open)>.Parse(Columns, text).Matches);
                taken++;
            }
            catch (UsageException)
            {
            }
        }

        Assert.True(taken > 10, $"{taken} were taken");
    }

    [Theory]
    [InlineData("vg-lv", "vg", "lv", "")]
    [InlineData("vg--a-lv--b-layer--c", "vg-a", "lv-b", "layer-c")]
    [InlineData("vg-lv-a-b", "vg", "lv", "a")]
    [InlineData("a---b", "a-", "b", "")]
    [InlineData("a-", "a-", "", "")]
    [InlineData("-a-b", "", "a", "b")]
    public void A_name_of_LVM_has_three_parts(string name, string group, string volume, string layer) =>
        Assert.Equal(new LvmName(group, volume, layer), LvmName.Split(name));
}
