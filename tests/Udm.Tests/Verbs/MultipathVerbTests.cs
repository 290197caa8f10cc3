namespace Udm.Tests.Verbs;

public sealed class MultipathVerbTests : IDisposable
{
    private readonly LocalVerbs _udm = new();
    private readonly string _a, _b, _c;

    public MultipathVerbTests()
    {
        (_a, _b, _c) = (_udm.Disk("a"), _udm.Disk("b"), _udm.Disk("c"));
        _udm.Registry.Create("mp", $"0 2048 multipath 1 queue_if_no_path 0 2 1 round-robin 0 1 1 {_a} 1 queue-length 0 1 1 {_b} 1");
    }

    public void Dispose() => _udm.Dispose();

    [Fact]
    public void Ls_draws_groups_and_paths()
    {
        string expected = $"""
            mp: without a path, I/O waits
            |- group 1: round-robin, enabled
            |  `- {_a}  active  0 in flight, 0 µs
            `- group 2: queue-length, enabled
               `- {_b}  active  0 in flight, 0 µs

            """;
        Assert.Equal(expected, _udm.Ok("multipath", "ls", "mp", "-o", "ascii"));
        _udm.Registry.Create("z", "0 8 zero");
        Assert.Equal(expected, _udm.Ok("multipath", "ls", "-o", "ascii")); // the multipath devices only
    }

    [Fact]
    public void A_path_fails_and_is_reinstated_by_its_name()
    {
        _udm.Ok("multipath", "fail", "mp", _a);
        Assert.Matches($"{_a}  failed  0 in flight, 0 µs, failed once, [0-9]+ s ago: by a message\n", _udm.Ok("multipath", "ls"));
        _udm.Ok("multipath", "fail", "mp", Path.GetRelativePath(Environment.CurrentDirectory, _b));
        Assert.Equal(2, _udm.Ok("multipath", "ls").Split("failed once").Length - 1);
        _udm.Ok("multipath", "reinstate", "mp", _a);
        Assert.Contains($"{_a} A 1", _udm.Ok("status", "mp"));
        Assert.Contains($"{_b} F 1", _udm.Ok("status", "mp"));
    }

    [Fact]
    public void Paths_are_added_and_taken_out()
    {
        _udm.Ok("multipath", "add", "mp", _c);
        Assert.Equal($"0 2048 multipath 1 queue_if_no_path 0 2 1 round-robin 0 2 1 {_a} 1 {_c} 1 queue-length 0 1 1 {_b} 1 \n", _udm.Ok("table", "mp"));
        _udm.Ok("multipath", "add", "mp", _c, "2");
        _udm.Ok("multipath", "rm", "mp", _a);
        Assert.Equal($"0 2048 multipath 1 queue_if_no_path 0 2 1 round-robin 0 1 1 {_c} 1 queue-length 0 2 1 {_b} 1 {_c} 1 \n", _udm.Ok("table", "mp"));
        _udm.Ok("multipath", "rm", "mp", _c);
        _udm.Ok("multipath", "rm", "mp", _b);
        Assert.Equal("0 2048 multipath 1 queue_if_no_path 0 0 0 \n", _udm.Ok("table", "mp"));
        _udm.Ok("multipath", "add", "mp", _a);
        Assert.Contains(_a, _udm.Ok("multipath", "ls"));
    }

    [Fact]
    public void Wrong_input_is_refused_in_a_sentence_and_changes_nothing()
    {
        string before = _udm.Ok("table", "mp");
        string missing = Path.Combine(_udm.Folder, "missing");
        Refused(1, $"'{missing}' is not one of its paths: {_a}, {_b}", "rm", "mp", missing);
        Refused(1, $"'{missing}' does not exist", "add", "mp", missing);
        Refused(1, $"'{missing}' does not exist", "fail", "mp", missing);
        Refused(1, $"'{_c}' is not a path: {_a}, {_b}", "fail", "mp", _c);
        Refused(1, $"'{_a}' is a path of group 1 already", "add", "mp", _a);
        Refused(1, "there is no group 3: 1 to 2", "add", "mp", _c, "3");
        Refused(2, "group: 'x' is not a number", "add", "mp", _c, "x");
        Refused(2, "'fail mp' is not one of its forms", "fail", "mp");
        Refused(2, "'list' is not one of its forms", "list");
        _udm.Registry.Create("z", "0 8 zero");
        Refused(1, "it is not a multipath device", "ls", "z");
        Refused(1, "it is not a multipath device", "add", "z", _a);
        Assert.Equal(before, _udm.Ok("table", "mp"));
        Assert.DoesNotContain("INACTIVE", _udm.Ok("info", "mp"));
        _udm.Ok("load", "mp", "--table", before);
        Refused(1, "it has an inactive table already: resume or clear it first", "add", "mp", _c);
    }

    private void Refused(int expected, string why, params string[] words)
    {
        (int status, string output, string error) = _udm.Run(["multipath", .. words]);
        Assert.Equal((expected, ""), (status, output));
        Assert.Contains(why, error);
        Assert.Single(error.TrimEnd('\n').Split('\n'));
    }
}
