using DeviceMapper;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using Udm.Reports;
using Udm.Verbs;

namespace Udm.Tests.Verbs;

/// <summary>Texts at random: what reads them takes them or refuses them with a sentence. UDM_FUZZ_ROUNDS sets how many, UDM_FUZZ_SEED from which seed.</summary>
public sealed class FuzzTests
{
    private static readonly int Rounds = Setting("UDM_FUZZ_ROUNDS", 5_000);
    private static readonly int Seed = Setting("UDM_FUZZ_SEED", 1);

    private static readonly Column<(string Name, int Open)>[] Columns =
    [
        new("g", "name", "Name", 4, IsNumber: false, row => row.Name, ""),
        new("g", "open", "Open", 4, IsNumber: true, row => $"{row.Open}", ""),
    ];

    [Fact]
    public void A_table_is_read_or_refused_by_its_line() => ForEachSeed(random =>
    {
        string text = Text(random, ["0", "8", "-1", "99999999999999999999", " ", "\t", "\n", "linear", "#", "\\", "\\ ", "/dev/a", "é", "\0", "+"], 24);
        try
        {
            foreach (TableLine line in TableParser.Parse(text))
            {
                Assert.NotEmpty(line.Type);
                TableParser.SplitWords(line.Arguments);
            }
        }
        catch (DmException refusal)
        {
            Assert.Equal(Errno.EINVAL, refusal.Errno);
            Assert.StartsWith("line ", refusal.Message);
        }
    });

    [Fact]
    public void Escaped_words_come_back_as_they_were() => ForEachSeed(random =>
    {
        string[] words = [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => "w" + Text(random, [" ", "\t", "\\", "#", "a", "\n", "\u00a0", ",", ";"], 8))];
        words[0] = words[0][1..] + "#";
        Assert.Equal(words, TableParser.SplitWords(string.Join(' ', words.Select(TableParser.EscapeWord))));
    });

    [Fact]
    public void A_concise_text_is_read_or_refused() => ForEachSeed(random =>
    {
        string text = Text(random, [",", ";", "\\", " ", "\n", "a", "ro", "rw", "7", "0 8 zero"], 24);
        try
        {
            Assert.All(ConciseFormat.Parse(text), device => Assert.False(string.IsNullOrWhiteSpace(device.Table)));
        }
        catch (VerbException refusal)
        {
            Assert.Contains("concise", refusal.Message);
        }
    });

    [Fact]
    public void Escaped_concise_devices_come_back_as_they_were() => ForEachSeed(random =>
    {
        ConciseDevice[] devices =
        [
            .. Enumerable.Range(0, random.Next(1, 5)).Select(_ => new ConciseDevice(
                "n" + Text(random, [",", ";", "\\", "a", " "], 6), Text(random, ["\\", ",", "b"], 4), random.Next(2) == 0 ? null : 7u, random.Next(2) == 0, "0 8 linear " + Text(random, [",", ";", "\\", "c"], 6) + "x")),
        ];
        string text = string.Join(';', devices.Select(device =>
            $"{ConciseFormat.Escape(device.Name)},{ConciseFormat.Escape(device.Uuid)},{device.Minor},{(device.ReadOnly ? "ro" : "rw")},{ConciseFormat.Escape(device.Table)}"));
        Assert.Equal(devices, ConciseFormat.Parse(text));
    });

    [Fact]
    public void A_selection_selects_or_is_refused() => ForEachSeed(random =>
    {
        string text = Text(random, ["name", "open", "=", "!=", "=~", "!~", ">=", "<", "&&", "||", ",", "#", "(", ")", "!", "\"", "'", " ", "x", "1", ".", "[", "]", "\\", "{", "*"], 16);
        try
        {
            Selection<(string Name, int Open)>.Parse(Columns, text).Matches(("x", 1));
        }
        catch (UsageException refusal)
        {
            Assert.StartsWith("--select: ", refusal.Message);
        }
    });

    [Fact]
    public void A_command_line_is_read_or_has_a_problem() => ForEachSeed(random =>
    {
        string[] words = [.. Enumerable.Range(0, random.Next(8)).Select(_ => Text(random, ["-", "--", "=", "c", "u", "v", "table", "no", "ls", " ", "é"], 5))];
        CommandLine line = CommandLine.Parse(words);
        Assert.True(line.Operands.Count + (line.Verb is null ? 0 : 1) <= words.Length);
    });

    private static void ForEachSeed(Action<Random> test)
    {
        for (int seed = Seed; seed < Seed + Rounds; seed++)
        {
            try
            {
                test(new Random(seed));
            }
            catch (Exception e)
            {
                Assert.Fail($"UDM_FUZZ_SEED={seed} UDM_FUZZ_ROUNDS=1: {e}");
            }
        }
    }

    private static string Text(Random random, string[] parts, int most) => string.Concat(Enumerable.Range(0, random.Next(most)).Select(_ => parts[random.Next(parts.Length)]));

    private static int Setting(string name, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(name), out int value) ? value : otherwise;
}
