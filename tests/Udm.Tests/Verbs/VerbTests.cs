using System.Text.RegularExpressions;
using DeviceMapper.Ioctl;
using Udm.Verbs;

namespace Udm.Tests.Verbs;

/// <summary>What holds for every verb, without a daemon.</summary>
public sealed partial class VerbTests
{
    public static TheoryData<string> Verbs => [.. VerbTable.All.Select(verb => verb.Name)];

    public static TheoryData<string> VerbsOfTheDaemon =>
    [
        "create x --notable", "load x --table '0 8 zero'", "reload x --table '0 8 zero'", "resume x", "suspend x", "clear x", "remove x", "remove_all",
        "wipe_table x", "rename x y", "message x 0 hello", "ls", "ls --tree", "info", "info -c", "info x", "deps x", "table", "table x", "status", "wait x",
        "setgeometry x 1 1 1 0", "mknodes x", "mangle x", "targets", "target-version linear", "watch", "multipath ls", "multipath add x p", "nbd ls", "nbd disconnect x",
    ];

    public static TheoryData<string> VerbsOfADevice =>
    [
        "load x --table '0 8 zero'", "reload x --table '0 8 zero'", "resume x", "suspend x", "clear x", "remove x", "wipe_table x", "rename x y",
        "rename x --setuuid u", "message x 0 hello", "info x", "info -c x", "deps x", "table x", "status x", "wait x", "setgeometry x 1 1 1 0", "mangle x",
        "multipath ls x", "multipath add x p", "multipath rm x p", "multipath fail x p", "multipath reinstate x p", "snapshot merge x", "fault x rules", "watch x",
    ];

    [Theory, MemberData(nameof(VerbsOfADevice))]
    public void A_device_that_is_not_there_is_refused_in_one_line(string command)
    {
        using LocalVerbs none = new();
        (int status, string output, string error) = none.Run([.. Word().Matches(command).Select(match => match.Value.Trim('\''))]);
        Assert.Equal((1, ""), (status, output));
        Assert.Matches(@"^udm: [^\n]* x: [^\n]+\n$", error);
    }

    [Theory, MemberData(nameof(Verbs))]
    public void Its_help_has_usage_what_it_does_and_an_example(string name)
    {
        (int status, string output, string error) = Run(name, "--help");
        Assert.Equal((0, ""), (status, error));
        Assert.StartsWith($"Usage:\n  udm {name}", output);
        Assert.Contains(Named(name).Summary, output);
        Assert.Contains($"udm {name}", output[output.IndexOf("Example", StringComparison.Ordinal)..]);
        Assert.Equal(output, Run("help", name).Output);
    }

    [Theory, MemberData(nameof(Verbs))]
    public void Its_help_names_options_that_exist(string name)
    {
        string[] known = [.. OptionForm.All.Select(form => form.Name)];
        Assert.All(LongOption().Matches(Run(name, "--help").Output), match => Assert.Contains(match.Groups["name"].Value, known));
    }

    [Theory, MemberData(nameof(Verbs))]
    public void An_unknown_option_is_refused_in_one_line(string name) =>
        Refused(name, $"udm: {name}: unknown option --no-such-option; see udm {name} --help\n", name, "--no-such-option");

    [Theory, MemberData(nameof(Verbs))]
    public void Too_few_or_too_many_operands_are_refused(string name)
    {
        Verb verb = Named(name);
        if (verb.MinOperands > 0)
        {
            Refused(name, $"udm: {name}: too few operands: it is used as 'udm {name} {verb.Usage.Split('\n')[0]}'; see udm {name} --help\n", name);
        }

        if (verb.MaxOperands < int.MaxValue)
        {
            string[] operands = [.. Enumerable.Range(0, verb.MaxOperands + 1).Select(i => $"o{i}")];
            Refused(name, $"udm: {name}: 'o{verb.MaxOperands}' is one operand too many; see udm {name} --help\n", [name, .. operands]);
        }
    }

    [Theory]
    [InlineData("load x --dry-run --table '0 8 zero'", "dry-run", 1)]
    [InlineData("ls --plan", "plan", 1)]
    [InlineData("remove x --prune", "prune", 1)]
    [InlineData("watch --cipher aes", "cipher", 2)]
    [InlineData("block ls --block", "block", 2)]
    public void An_option_that_dmsetup_does_not_have_is_refused_by_verbs_that_do_not_have_it(string command, string option, int expected)
    {
        using LocalVerbs udm = new();
        udm.Ok("create", "x", "--notable");
        (int status, string output, string error) = udm.Run([.. Word().Matches(command).Select(match => match.Value.Trim('\''))]);
        Assert.Equal((expected, ""), (status, output));
        string verb = command.Split(' ')[0];
        Assert.Equal($"udm: {verb}: it has no option --{option}; see udm {verb} --help\n", error);
        Assert.Equal("x:---w\n", udm.Ok("info", "-c", "--noheadings", "-o", "name,attr"));
    }

    [Theory, MemberData(nameof(Verbs))]
    public void Its_help_tells_of_the_options_that_dmsetup_does_not_have(string name)
    {
        Verb verb = Named(name);
        foreach (OptionForm form in OptionForm.All.Where(form => verb.OwnOptions.Contains(form.Option)))
        {
            Assert.True(form.IsOwn, $"--{form.Name} is one of dmsetup's");
            Assert.Matches($@"--{form.Name}(?![\w-])", $"{verb.Usage}\n{verb.Help}");
        }
    }

    [Fact]
    public void People_at_a_terminal_are_told_where_a_device_is()
    {
        using LocalVerbs udm = new() { ErrorIsTerminal = true };
        Directory.CreateDirectory(Path.Combine(udm.Folder, "mapper"));
        string file = Path.Combine(udm.Folder, "mapper", "an\\x20odd\\x20name");
        File.WriteAllText(file, ""); // in place of FUSE's
        Assert.Equal((0, "", $"udm: an odd name is {file}\n"), udm.Run("create", "an odd name", "--table", "0 8 zero"));
        Assert.Equal((0, "", ""), udm.Run("create", "without a table", "--notable"));
        udm.ErrorIsTerminal = false;
        udm.Ok("remove", "an odd name");
        Assert.Equal((0, "", ""), udm.Run("create", "an odd name", "--table", "0 8 zero"));
    }

    [Theory, MemberData(nameof(VerbsOfTheDaemon))]
    public void Without_a_daemon_it_says_so(string command)
    {
        (int status, string output, string error) = Run([.. Word().Matches(command).Select(match => match.Value.Trim('\''))]);
        Assert.Equal((1, ""), (status, output));
        Assert.Matches(@"^udm: [^\n]*no udm daemon answers[^\n]*\n$", error);
    }

    [Fact]
    public void A_verb_that_does_not_exist_is_refused() =>
        Assert.Equal((1, "", "udm: nosuch: 'nosuch' is no verb; see udm --help\n"), Run("nosuch"));

    private static Verb Named(string name) => VerbTable.Find(name)!;

    private static void Refused(string name, string sentence, params string[] words) =>
        Assert.Equal((Named(name).WrongUsageStatus, "", sentence), Run(words));

    private static (int Status, string Output, string Error) Run(params string[] words)
    {
        CommandLine line = CommandLine.Parse(words);
        using StringWriter output = new() { NewLine = "\n" }, error = new() { NewLine = "\n" };
        using ControlClient nobody = new(Path.Combine(Path.GetTempPath(), Path.GetRandomFileName(), "control"));
        int status = VerbRunner.Run(new VerbContext(line, nobody) { Out = output, Error = error, In = TextReader.Null });
        return (status, output.ToString(), error.ToString());
    }

    [GeneratedRegex(@"(?<![\w-])--(?<name>[a-z]+(?:-[a-z]+)*)")]
    private static partial Regex LongOption();

    [GeneratedRegex(@"'[^']*'|\S+")]
    private static partial Regex Word();
}
