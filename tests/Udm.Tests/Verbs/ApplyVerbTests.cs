using System.Text.Json;
using DeviceMapper.Mapping;

namespace Udm.Tests.Verbs;

public sealed class ApplyVerbTests : IDisposable
{
    private readonly LocalVerbs _udm = new();

    public void Dispose() => _udm.Dispose();

    [Fact]
    public void Devices_become_what_the_file_says_and_a_second_time_nothing_is_left_to_do()
    {
        string disk = _udm.Disk("disk");
        _udm.Registry.Create("old", "0 8 zero", uuid: "U-1");
        _udm.Registry.Create("fast", $"0 8 linear {disk} 0");
        _udm.Registry.Create("other", "0 8 zero");
        string file = _udm.File("devices.dm", $"""
            [top ro]
            0 8 linear /dev/mapper/fast 0
            8 8 linear {_udm.Folder}/mapper/base 0
            [base]
            0 2048 striped 2 128 {disk} 0 {_udm.Folder}/mapper/new 0
            [new uuid=U-1]
            0 2048 linear file:{_udm.Folder}/made?size=1M 0
            [fast]
            0 8 linear {disk} 8
            """);
        string before = State();
        string plan = _udm.Ok("apply", "--plan", file);
        Assert.Equal("rename old to new\nreload fast\nreload old\ncreate base\ncreate top\n", plan);
        Assert.Equal(before, State());
        Assert.False(File.Exists(Path.Combine(_udm.Folder, "made")));
        Assert.Equal(plan, _udm.Ok("apply", file));
        Assert.Equal(["base", "fast", "new", "other", "top"], _udm.Registry.Devices.Select(d => d.Name));
        Assert.Equal($"0 8 linear {disk} 8\n", _udm.Ok("table", "fast"));
        Assert.All(_udm.Registry.Devices, device => Assert.True(device.Status() is { ActivePresent: true, InactivePresent: false, Suspended: false }));
        Assert.Equal("nothing to do\n", _udm.Ok("apply", file));
        Assert.Equal("{\"steps\":[]}\n", _udm.Ok("apply", "--json", file));
        Assert.Equal("remove other\n", _udm.Ok("apply", "--prune", file));
        Assert.Equal("nothing to do\n", _udm.Ok("apply", "--prune", file));
        Assert.Equal("nothing to do\n", _udm.RunWith(_udm.Ok("table", "--concise"), "apply", "--prune", "-").Output);
    }

    [Fact]
    public void When_a_step_fails_all_is_as_it_was_before()
    {
        string disk = _udm.Disk("disk");
        MappedDevice kept = _udm.Registry.Create("a", "0 8 zero", uuid: "U-a");
        _udm.Registry.Create("b", $"0 8 linear {disk} 0", uuid: "U-b");
        _udm.Registry.Create("gone", "0 8 zero");
        _udm.Registry.Create("used", "0 8 zero");
        _udm.Ok("suspend", "b");
        string before = State();
        kept.Open();
        string swapped = $"[b uuid=U-a]\n0 16 zero\n[a uuid=U-b]\n0 8 linear {disk} 8\n[used]\n0 8 zero\n[new]\n0 8 linear /dev/mapper/a 0\n";
        (int status, string output, string error) = _udm.Run("apply", "--prune", _udm.File("bad.dm", $"{swapped}[broken]\n0 8 linear {disk} 4096\n"));
        Assert.Equal(
            (1, "", $"udm: apply broken: linear: '{disk}' has 2048 sectors, too few for 8 from sector 4096 (Invalid argument)\n"), (status, output, error));
        Assert.Equal(before, State());
        kept.Close();

        // A removal that fails comes last: what was removed before it is made again.
        _udm.Registry.FindByName("used")!.Open();
        string withoutUsed = swapped.Replace("[used]\n0 8 zero\n", "", StringComparison.Ordinal);
        error = _udm.Run("apply", "--prune", _udm.File("prune.dm", withoutUsed)).Error;
        Assert.Equal("udm: apply used: 'used' is in use by one open file handle (Device or resource busy)\n", error);
        Assert.Equal(before, State());
        _udm.Registry.FindByName("used")!.Close();

        _udm.Ok("apply", "--prune", _udm.File("good.dm", swapped));
        Assert.Equal(["a", "b", "new", "used"], _udm.Registry.Devices.Select(d => d.Name));
        Assert.Equal(kept, _udm.Registry.FindByName("b"));
    }

    [Theory]
    [InlineData("[a uuid=U-2]\n0 8 zero\n", "udm: apply a: the name 'a' is that of a device with another uuid, which stays without --prune\n")]
    [InlineData("[x uuid=U-a]\n0 8 zero\n[a]\n0 8 zero\n", "udm: apply a: 'a' is meant by two devices of the file\n")]
    [InlineData("[a]\n0 16 zero\n[a]\n0 8 zero\n", "udm: apply: FILE: line 3: 'a' is there twice\n")]
    [InlineData("[staged]\n0 16 zero\n", "udm: apply staged: it has an inactive table, which would be lost: resume or clear it first\n")]
    [InlineData("[new]\n0 x zero\n", "udm: apply new: line 1: length: 'x' is not a number of sectors\n")]
    [InlineData("[a minor=99]\n0 8 zero\n", "udm: apply a: it has the number NUMBER, and cannot get the minor 99: remove it first\n")]
    [InlineData("# none\n", "udm: apply: FILE: no device is in it\n")]
    public void What_cannot_be_is_refused_before_anything_is_done(string text, string expected)
    {
        MappedDevice a = _udm.Registry.Create("a", "0 8 zero", uuid: "U-a");
        _udm.Registry.Create("staged", "0 8 zero").LoadTable("0 24 zero");
        string before = State(), file = _udm.File("f", text);
        Assert.Equal((1, "", expected.Replace("FILE", file, StringComparison.Ordinal).Replace("NUMBER", $"{a.Number}", StringComparison.Ordinal)), _udm.Run("apply", file));
        Assert.Equal(before, State());
    }

    [Fact]
    public void A_uuid_is_given_to_a_device_that_has_none_and_JSON_has_the_steps()
    {
        _udm.Registry.Create("a", "0 8 zero");
        using JsonDocument json = JsonDocument.Parse(_udm.Ok("apply", "--json", _udm.File("f", "[a uuid=U-1]\n0 8 zero\n")));
        Assert.Equal("""[{"action":"setuuid","name":"a","new_name":null}]""", json.RootElement.GetProperty("steps").GetRawText());
        Assert.Equal("U-1", _udm.Registry.Devices[0].Uuid);
        Assert.Equal((0, "nothing to do\n", ""), _udm.RunWith("[a uuid=U-1]\n0 8 zero\n", "apply", "-", "--plan"));
    }

    [Fact]
    public void A_uuid_which_nothing_takes_away_again_is_given_after_the_removals_that_may_be_refused()
    {
        _udm.Registry.Create("a", "0 8 zero");
        _udm.Registry.Create("used", "0 8 zero").Open();
        string before = State();
        Assert.Equal(1, _udm.Run("apply", "--prune", _udm.File("f", "[a uuid=U-1]\n0 8 zero\n")).Status);
        Assert.Equal(before, State());
    }

    private string State() => _udm.Ok("table", "--concise") + _udm.Ok("info", "-c", "-o", "name,attr,uuid,major,minor", "--noheadings");
}
