using System.Text.Json;
using Udm.Verbs;

namespace Udm.Tests.Verbs;

/// <summary>What verbs print with <c>--json</c>: one document on a line, with the keys that docs/json.md lists.</summary>
public sealed class JsonTests : IDisposable
{
    private const string Device = "name,major,minor,uuid,suspended,read_only,deferred_remove,live_table,inactive_table,open_count,event_number,target_count,read_ahead_sectors";

    private readonly LocalVerbs _udm = new();

    public JsonTests()
    {
        _udm.Registry.Create("a \"b\"", $"0 2048 linear {_udm.Disk("disk")} 0", uuid: "LVM-é");
        _udm.Registry.Create("top", $"0 8 linear {_udm.Registry.Devices[0].Number} 0\n8 8 zero");
        _udm.Registry.Create("empty");
        _udm.Registry.Create("origin", $"0 1024 snapshot-origin {_udm.Disk("origin")}");
        _udm.Registry.Create("snap", $"0 1024 snapshot {_udm.Folder}/origin {_udm.Disk("cow")} N 8");
        _udm.Registry.Create("mp", $"0 2048 multipath 0 0 1 1 round-robin 0 1 1 {_udm.Disk("path")} 1");
    }

    /// <summary>A command, the key of its list (empty: it is one object), and the keys of an object of the list.</summary>
    public static TheoryData<string, string, string> Printing => new()
    {
        { "ls", "devices", "name,major,minor" },
        { "ls --target linear", "devices", "name,major,minor" },
        { "ls --tree", "devices", Device + ",uses" },
        { "ls --tree -o inverted", "devices", "name,major,minor,used_by" },
        { "info", "devices", Device },
        { "info top", "devices", Device },
        { "info -c", "devices", "name,major,minor,attr,open,segments,events,uuid" },
        { "info -c -o name,open -S open>0", "devices", "name,open" },
        { "deps", "devices", "name,major,minor,uses" },
        { "table", "devices", "name,major,minor,uuid,read_only,targets" },
        { "table --concise", "devices", "name,major,minor,uuid,read_only,targets" },
        { "status", "devices", "name,major,minor,uuid,read_only,targets" },
        { "measure", "devices", "name,major,minor,uuid,read_only,targets" },
        { "targets", "targets", "name,version" },
        { "target-version linear zero", "targets", "name,version" },
        { "version", "", "library_version,driver_version" },
        { "message top 0 @stats_list", "", "answer" },
        { "wait top 7", "devices", Device },
        { "suspend top", "devices", Device },
        { "resume top", "devices", Device },
        { "clear top", "devices", Device },
        { "load top --table 0_8_zero", "devices", Device },
        { "create new --table 0_8_zero", "devices", Device },
        { "multipath ls", "devices", "name,queue_if_no_path,waiting_for_path,waiting_for_doubt,groups,in_doubt" },
        { "snapshot ls", "snapshots", "name,origin,merging,status,used_sectors,total_sectors,metadata_sectors" },
        { "mangle --manglename none", "devices", "name,new_name" },
        { "splitname vg-lv", "names", "vg_name,lv_name,lv_layer" },
        { "help -c", "columns", "name,group,description" },
        { "udevcomplete 0xd4d1234", "", "completed" },
        { "check --table x", "problems", "file,line,device,target,argument,errno,problem" },
    };

    public void Dispose() => _udm.Dispose();

    [Theory, MemberData(nameof(Printing))]
    public void It_is_one_document_with_the_keys_of_its_schema(string command, string list, string keys)
    {
        (_, string output, _) = _udm.Run([.. command.Split(' ').Select(word => word.Replace('_', ' ').Replace("@stats list", "@stats_list")), "--json", "--manglename", "none"]);
        Assert.EndsWith("}\n", output);
        Assert.Equal(1, output.Count(c => c == '\n'));
        using JsonDocument json = JsonDocument.Parse(output);
        JsonElement sample = json.RootElement;
        if (list.Length > 0)
        {
            Assert.Equal([list], sample.EnumerateObject().Select(p => p.Name));
            Assert.NotEmpty(sample.GetProperty(list).EnumerateArray());
            sample = sample.GetProperty(list)[0];
        }

        string[] found = [.. sample.EnumerateObject().Select(p => p.Name)];
        Assert.Equal(keys.Split(',').Order(), found.Order());
        string page = File.ReadAllText(Path.Combine(RepositoryTests.Root, "docs", "json.md"));
        Assert.All(command.StartsWith("info -c", StringComparison.Ordinal) ? [] : found, key => Assert.Contains($"`{key}`", page));
    }

    [Fact]
    public void Names_and_uuids_come_back_as_they_are()
    {
        using JsonDocument json = JsonDocument.Parse(_udm.Ok("table", "--manglename", "none", "--json", "a \"b\""));
        JsonElement device = json.RootElement.GetProperty("devices")[0];
        Assert.Equal(("a \"b\"", "LVM-é"), (device.GetProperty("name").GetString(), device.GetProperty("uuid").GetString()));
        JsonElement target = device.GetProperty("targets")[0];
        Assert.Equal((0, 2048), (target.GetProperty("start_sector").GetInt32(), target.GetProperty("length_sectors").GetInt32()));
        Assert.Equal($"{_udm.Folder}/disk 0", target.GetProperty("arguments").GetString());
    }

    [Fact]
    public void Udevs_cookies_are_none_and_their_flags_are_named()
    {
        Assert.Equal("{\"cookies\":[]}\n", _udm.Ok("udevcookies", "--json"));
        Assert.Equal("{\"destroyed\":0,\"skipped\":0}\n", _udm.Ok("udevcomplete_all", "--json"));
        Assert.Equal("{\"flags\":[\"DM_UDEV_DISABLE_DM_RULES_FLAG\",\"DM_SUBSYSTEM_UDEV_FLAG0\"]}\n", _udm.Ok("udevflags", "0x1010001", "--json"));
    }

    [Fact]
    public void Without_devices_the_list_is_empty_and_a_failure_leaves_the_document_whole()
    {
        using LocalVerbs none = new();
        foreach (string command in (string[])["ls", "ls --tree", "info", "info -c", "deps", "table", "status", "measure", "multipath ls", "mangle"])
        {
            Assert.Equal("{\"devices\":[]}\n", none.Ok([.. command.Split(' '), "--json"]));
        }

        (int status, string output, string error) = _udm.Run("info", "top", "nosuch", "--json", "--manglename", "none");
        using JsonDocument json = JsonDocument.Parse(output);
        Assert.Equal((1, 1, "udm: info nosuch: no mapped device is called so\n"), (status, json.RootElement.GetProperty("devices").GetArrayLength(), error));
        Assert.Equal("", _udm.Ok("remove", "top", "--json"));
    }

    [Fact]
    public void Verbs_that_say_that_they_print_JSON_are_here_or_have_their_own_tests()
    {
        string[] elsewhere = ["nbd", "block", "thin", "fault", "apply", "watch", "stats", "replay", "udevcookies", "udevflags", "udevcomplete_all"];
        string[] here = [.. Printing.Select(row => row.Data.Item1.Split(' ')[0])];
        Assert.All(
            VerbTable.All.Where(verb => verb.Usage.Contains("--json", StringComparison.Ordinal) && !elsewhere.Contains(verb.Name)),
            verb => Assert.Contains(verb.Name, here));
    }
}
