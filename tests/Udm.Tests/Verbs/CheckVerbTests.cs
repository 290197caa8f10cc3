using System.Text.Json;
using DeviceMapper.Mapping;

namespace Udm.Tests.Verbs;

public sealed class CheckVerbTests : IDisposable
{
    private readonly LocalVerbs _udm = new();

    public void Dispose() => _udm.Dispose();

    [Fact]
    public void All_problems_of_a_file_are_told_with_their_lines()
    {
        string disk = _udm.Disk("disk");
        string file = _udm.File("devices.dm", $"""
            # a file
            [a]
            0 2048 linear {disk} 0
            2048 100 linear /nosuch x

            2150 8 striped 2 0 {disk} 0 /nosuch 0
            2158 8 nosuch
            bad line
            [top ro frob]
            0 8 linear /dev/mapper/a 0
            8 2000 linear {disk} 2000
            [good]
            0 8 linear file:{_udm.Folder}/new?size=1M 0
            8 0 zero
            [a]
            0 8 zero
            """);
        (int status, string output, string error) = _udm.Run("check", file);
        Assert.Equal((1, ""), (status, error));
        string known = string.Join(", ", _udm.Registry.TargetTypes.Select(t => t.Name));
        Assert.Equal(
            [
                "9: 'frob' is none of ro, uuid=UUID and minor=N",
                "15: 'a' is there twice",
                "4: a: linear: argument 2 (offset): 'x' is not a sector number",
                "4: a: linear: argument 1 (device): '/nosuch' does not exist",
                "6: a: striped: start: '2150' leaves a gap: 2148 was expected",
                "6: a: striped: argument 2 (chunk size): '0' is not a positive number of sectors",
                "6: a: striped: argument 5 (device): '/nosuch' does not exist",
                $"7: a: 'nosuch' is not a target type that udm knows: {known}",
                "8: a: start: 'bad' is not a sector number",
                $"11: top: linear: '{disk}' has 2048 sectors, too few for 2000 from sector 2000",
                "14: good: zero: length: '0' is not a positive number of sectors",
                "15: a: the name 'a' is taken",
            ],
            Problems(output, file));
    }

    [Fact]
    public void What_is_right_is_not_told_and_nothing_is_touched()
    {
        string disk = _udm.Disk("disk"), cow = _udm.Disk("cow");
        DateTime before = new(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(disk, before);
        File.SetLastWriteTimeUtc(cow, before);
        string file = _udm.File("devices.dm", $"""
            [top]
            0 8 linear /dev/mapper/pool 0
            [pool]
            0 2048 thin-pool file:{_udm.Folder}/meta?size=4M file:{_udm.Folder}/data?size=1M 128 0
            [origin]
            0 1024 snapshot-origin {disk}
            [snap]
            0 1024 snapshot {disk} {cow} P 8
            """);
        Assert.Equal("", _udm.Ok("check", file));
        Assert.Equal([cow, file, disk], Directory.GetFileSystemEntries(_udm.Folder).Order());
        Assert.Equal((before, before), (File.GetLastWriteTimeUtc(disk), File.GetLastWriteTimeUtc(cow)));
        Assert.All([disk, cow], path => Assert.True(File.ReadAllBytes(path).All(b => b == 0), path));
        Assert.Empty(_udm.Registry.Devices);
    }

    [Theory]
    [InlineData("0 8 zero\n", "")]
    [InlineData("# nothing\n\n", "-: the table has no targets\n")]
    [InlineData("0 8 zero\nx 8 zero\n8 8 zero 1\n", "-:2: start: 'x' is not a sector number\n-:3: zero: 0 arguments expected (no arguments), 1 given\n")]
    [InlineData("a,,,rw,0 8 zero;b,,,xx,0 8 zero;c,,,ro,0 8 zero,8 x zero;d,,9", "-: concise device 'b': flags 'xx' must be 'ro', 'rw' or empty\n-: concise device 'd' has 3 fields; name,uuid,minor,flags,table are expected\n-:2: c: length: 'x' is not a number of sectors\n")]
    [InlineData("a,,,rw,0 8 linear /dev/mapper/b 0;b,,,rw,0 8 zero", "")]
    [InlineData("[x]\n[", "-:2: '[' is not '[NAME]'\n")]
    public void Standard_input_is_a_table_or_devices_in_either_form(string text, string expected)
    {
        Assert.Equal((expected.Length == 0 ? 0 : 1, expected, ""), _udm.RunWith(text, "check"));
        Assert.Equal(expected, _udm.RunWith(text, "check", "-").Output);
    }

    [Fact]
    public void Tables_may_name_devices_of_the_daemon_whose_content_is_not_known()
    {
        _udm.Registry.Create("base", "0 8 linear mem:4K 0");
        Assert.Equal("", _udm.Ok("check", "--table", $"0 8 linear {_udm.Folder}/mapper/base 0"));
        Assert.Equal("", _udm.Ok("check", "--table", $"0 8 linear {_udm.Registry.Devices[0].Number} 0"));
        Assert.Equal("", _udm.Ok("check", "--table", "0 8 thin /dev/mapper/base 0"));
        Assert.Equal(
            $"--table:1: linear: '{_udm.Registry.Devices[0].Number}' has 8 sectors, too few for 16 from sector 0\n", _udm.Run("check", "--table", "0 16 linear /dev/mapper/base 0").Output);
        Assert.Contains("'/dev/mapper/nosuch' does not exist", _udm.Run("check", "--table", "0 8 linear /dev/mapper/nosuch 0").Output);
    }

    [Fact]
    public void As_JSON_each_problem_names_its_argument()
    {
        using JsonDocument json = JsonDocument.Parse(_udm.Run("check", "--json", "--table", "0 8 zero\n8 8 linear /nosuch 0").Output);
        JsonElement problem = Assert.Single(json.RootElement.GetProperty("problems").EnumerateArray());
        Assert.Equal(
            """{"file":"--table","line":2,"device":null,"target":"linear","argument":{"number":1,"name":"device","value":"/nosuch"},"errno":"ENOENT","problem":"linear: argument 1 (device): '/nosuch' does not exist"}""",
            problem.GetRawText());
        Assert.Equal("{\"problems\":[]}\n", _udm.Ok("check", "--json", "--table", "0 8 zero"));
    }

    [Fact]
    public void A_dry_run_of_create_says_what_create_would_and_makes_nothing()
    {
        _udm.Registry.Create("there", "0 8 zero", uuid: "U-1");
        string[][] refused =
        [
            ["create", "x", "--table", "0 8 linear /nosuch 0"], ["create", "x", "--table", "0 8 zero\n9 8 zero"], ["create", "there", "--notable"],
            ["create", "x", "-u", "U-1", "--notable"], ["create", "x", "--table", "0 x zero"], ["create", "x", "--table", "0 8 averyveryverylongname"],
            ["create", "x", "-j", $"{_udm.Registry.Major}", "-m", $"{_udm.Registry.Devices[0].Number.Minor}", "--notable"],
        ];
        foreach (string[] words in refused)
        {
            (int status, string output, string error) = _udm.Run(words);
            Assert.Equal((1, output, error), _udm.Run([.. words, "--dry-run"]));
            Assert.Equal(1, status);
        }

        Assert.Equal("", _udm.Ok("create", "x", "--dry-run", "--table", "0 8 zero"));
        Assert.Equal("", _udm.Ok("create", "--dry-run", "--concise", "x,,,rw,0 8 zero;y,,,ro,0 8 linear /dev/mapper/x 0"));
        string both = _udm.Run("create", "--dry-run", "--concise", "x,,,rw,0 8 zero 1;y,,,ro,0 8 linear /nosuch 0").Error;
        Assert.Equal(
            "udm: create x: zero: 0 arguments expected (no arguments), 1 given (Invalid argument)\n"
            + "udm: create y: linear: argument 1 (device): '/nosuch' does not exist (No such file or directory)\n",
            both);
        Assert.Single(_udm.Registry.Devices);
    }

    [Fact]
    public void Wrong_usage_is_status_2()
    {
        Assert.Equal(2, _udm.Run("check", "--table", "0 8 zero", "file").Status);
        Assert.Equal((1, "", $"udm: check: '{_udm.Folder}' cannot be read: it is a folder\n"), _udm.Run("check", _udm.Folder));
        string image = _udm.Disk("image");
        string refusal = $"'{image}' is no text, but a file of bytes; lines of a table are expected\n";
        Assert.Equal((1, "", $"udm: check: {refusal}"), _udm.Run("check", image));
        Assert.Equal((1, "", $"udm: create new: {refusal}"), _udm.Run("create", "new", image));
        Assert.Equal((1, "", "udm: create new: there is no file '0 8 zero' with a table; a table itself is given by --table\n"), _udm.Run("create", "new", "0 8 zero"));
        Assert.Equal((1, "", "udm: check: '/nosuch' cannot be read: there is no such file\n"), _udm.Run("check", "/nosuch"));
    }

    private static string[] Problems(string output, string file) => [.. output.TrimEnd('\n').Split('\n').Select(line => line[(file.Length + 1)..])];
}
