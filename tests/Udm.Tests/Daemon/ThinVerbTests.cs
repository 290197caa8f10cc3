using System.Text.Json;

namespace Udm.Tests.Daemon;

/// <summary>The verb <c>thin</c>: a pool on files, its volumes, and its metadata when it is not in use.</summary>
public sealed class ThinVerbTests
{
    [Fact]
    public void Volumes_are_made_and_listed_and_a_damaged_pool_is_saved()
    {
        using RunningDaemon daemon = new();
        string metadata = Path.Combine(daemon.Folder, "pool.meta"), repaired = Path.Combine(daemon.Folder, "new.meta");
        daemon.UdmOk("thin", "pool", "pool", daemon.Folder, "16M");
        daemon.UdmOk("thin", "create", "pool", "data", "64M");
        daemon.UdmOk("thin", "snapshot", "data", "before");
        string list = daemon.UdmOk("thin", "list");
        Assert.Equal(list, daemon.UdmOk("thin", "ls"));
        Assert.Contains("data\tpool\t65536\t0\n", list);
        Assert.Contains("before\tpool\t65536\t0\n", list);
        foreach (string[] words in new string[][] { ["check", metadata], ["dump", metadata], ["clear", metadata], ["repair", metadata, repaired] })
        {
            (int refused, _, string sentence) = daemon.Udm(["thin", .. words]);
            Assert.Equal(1, refused);
            Assert.Contains("remove the devices of its pool first", sentence);
        }

        foreach (string name in new[] { "before", "data", "pool" })
        {
            daemon.UdmOk("remove", name);
        }

        Assert.Equal("no damage\n", daemon.UdmOk("thin", "check", metadata));
        string dump = daemon.UdmOk("thin", "dump", metadata);
        Assert.Contains("<device dev_id=\"1\"", dump);

        byte[] sound = File.ReadAllBytes(metadata), damaged = [.. sound];
        int block = Enumerable.Range(1, (sound.Length / 4096) - 1).First(b => BitConverter.ToUInt32(sound, (b * 4096) + 4) == 2 && Damage(b) is not "no damage\n");
        (int status, string output, string error) = daemon.Udm("thin", "check", metadata);
        Assert.Equal(1, status);
        Assert.Contains($"metadata block {block} ", output);
        Assert.Contains($"'udm thin repair {metadata} NEWFILE'", error);
        Assert.Equal(1, daemon.Udm("thin", "clear", metadata).Status);
        Assert.Equal(damaged, File.ReadAllBytes(metadata));
        Assert.Contains("is sound metadata now", daemon.UdmOk("thin", "repair", metadata, repaired));
        Assert.Equal("no damage\n", daemon.UdmOk("thin", "check", repaired));
        Assert.Contains("is there already", daemon.Udm("thin", "repair", metadata, repaired).Error);

        // The repair as JSON: nothing is lost of sound metadata, and of damaged ones what the text says.
        Assert.Empty(RepairAsJson(repaired, "third.meta"));
        string[] lost = [];
        for (int number = 1; lost.Length == 0; number++)
        {
            Assert.True(number < sound.Length / 4096, "no block's damage loses anything");
            Damage(number);
            lost = RepairAsJson(metadata, $"json{number}.meta");
        }

        Assert.Equal(
            lost.Select(damage => $"lost: {damage}"),
            daemon.UdmOk("thin", "repair", metadata, Path.Combine(daemon.Folder, "text.meta")).Split('\n').Where(line => line.StartsWith("lost: ", StringComparison.Ordinal)));

        string[] RepairAsJson(string from, string to)
        {
            string path = Path.Combine(daemon.Folder, to);
            using JsonDocument answer = JsonDocument.Parse(daemon.UdmOk("thin", "repair", from, path, "--json"));
            Assert.Equal(path, answer.RootElement.GetProperty("new_file").GetString());
            Assert.Equal("no damage\n", daemon.UdmOk("thin", "check", path));
            return [.. answer.RootElement.GetProperty("lost").EnumerateArray().Select(damage => damage.GetString()!)];
        }

        string Damage(int number)
        {
            sound.CopyTo(damaged, 0);
            damaged[(number * 4096) + 200] ^= 1;
            File.WriteAllBytes(metadata, damaged);
            return daemon.Udm("thin", "check", metadata).Output;
        }
    }
}
