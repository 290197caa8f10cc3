using System.Security.Cryptography;
using System.Text.Json;

namespace DeviceMapper.Nbd.Tests;

/// <summary>Other people's programs use our server.</summary>
public sealed class ProgramsTests
{
    private const int Timeout = 120_000;

    [Fact(Timeout = Timeout)]
    public void Nbdinfo_lists_exports_and_tells_what_they_are()
    {
        using ServedRegistry served = new();
        served.Disk("b").LogicalBlockSize = 4096;
        served.Create("a");
        served.Create("b", 32768);
        string list = ServedRegistry.RunOk("nbdinfo", "--json", "--list", $"nbd+unix:///?socket={served.Socket}");
        JsonElement[] exports = [.. JsonDocument.Parse(list).RootElement.GetProperty("exports").EnumerateArray()];
        Assert.Equal(["a", "b"], exports.Select(e => e.GetProperty("export-name").GetString()));
        Assert.Equal([8388608, 16777216], exports.Select(e => e.GetProperty("export-size").GetInt32()));
        Assert.Equal([512, 4096], exports.Select(e => e.GetProperty("block_size_minimum").GetInt32()));
        foreach (string can in new[] { "can_flush", "can_fua", "can_trim", "can_zero", "can_fast_zero", "can_df", "can_cache", "can_multi_conn" })
        {
            Assert.True(exports[0].GetProperty(can).GetBoolean(), can);
        }

        Assert.Contains("base:allocation", list);
        Assert.Contains("dm:targets", list);
        Assert.Equal("8388608", ServedRegistry.RunOk("nbdinfo", "--size", served.Uri("a")).Trim());
    }

    [Theory(Timeout = Timeout)]
    [InlineData(false)]
    [InlineData(true)]
    public void Nbdcopy_copies_both_ways(bool asynchronous)
    {
        using ServedRegistry served = new();
        served.Disk("d").Asynchronous = asynchronous;
        served.Create("d", 65536);
        string source = Path.Join(served.Folder, "source"), back = source + ".back";
        byte[] data = RandomNumberGenerator.GetBytes(32 << 20);
        data.AsSpan(5 << 20, 3 << 20).Clear();
        File.WriteAllBytes(source, data);
        ServedRegistry.RunOk("nbdcopy", source, served.Uri("d"));
        Assert.True(served.Disk("d").Data[..data.Length].SequenceEqual(data));
        ServedRegistry.RunOk("nbdcopy", served.Uri("d"), back);
        Assert.True(File.ReadAllBytes(back).AsSpan().SequenceEqual(data));
    }

    [Theory(Timeout = Timeout)]
    [InlineData(false)]
    [InlineData(true)]
    public void Qemu_img_converts_compares_and_maps(bool asynchronous)
    {
        using ServedRegistry served = new();
        served.Disk("d").Asynchronous = asynchronous;
        served.Disk("d").Hole = (8192, 16384);
        served.Create("d", 65536);
        string source = Path.Join(served.Folder, "source");
        byte[] data = RandomNumberGenerator.GetBytes(32 << 20);
        data.AsSpan(4 << 20, 4 << 20).Clear();
        File.WriteAllBytes(source, data);
        ServedRegistry.RunOk("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", source, served.Uri("d"));
        Assert.Contains("Images are identical", ServedRegistry.RunOk("qemu-img", "compare", "-f", "raw", "-F", "raw", source, served.Uri("d")));
        string map = ServedRegistry.RunOk("qemu-img", "map", "--output=json", "-f", "raw", served.Uri("d"));
        Assert.Equal([false, true, false], JsonDocument.Parse(map).RootElement.EnumerateArray().Select(e => e.GetProperty("zero").GetBoolean()));
    }

    [Fact(Timeout = Timeout)]
    public void Qemu_img_maps_the_holes_of_a_thin_volume()
    {
        using ServedRegistry served = new();
        served.Registry.Create("pool", "0 16384 thin-pool mem:2M mem:8M 128 0").Message(default, "create_thin 0");
        served.Registry.Create("t", "0 65536 thin /dev/mapper/pool 0");
        ServedRegistry.RunOk("qemu-io", "-f", "raw", "-c", "write -P 1 64k 8k", "-c", "write -P 2 128k 64k", "-c", "write -P 3 16M 512", served.Uri("t"));
        string map = ServedRegistry.RunOk("qemu-img", "map", "--output=json", "-f", "raw", served.Uri("t"));
        Assert.Equal(
            [(0, 65536, true), (65536, 131072, false), (196608, 16580608, true), (16777216, 65536, false), (16842752, 16711680, true)],
            JsonDocument.Parse(map).RootElement.EnumerateArray().Select(e => (e.GetProperty("start").GetInt32(), e.GetProperty("length").GetInt32(), e.GetProperty("zero").GetBoolean())));
    }

    [Fact(Timeout = Timeout)]
    public void Qemu_io_writes_reads_discards_zeroes_and_flushes()
    {
        using ServedRegistry served = new();
        TestDisk disk = served.Disk("d");
        served.Create("d");
        ServedRegistry.RunOk(
            "qemu-io", "-t", "writeback", "-f", "raw", "-c", "write -P 0x5a 0 64k", "-c", "write -f -P 0x33 64k 512", "-c", "read -P 0x5a 0 64k", "-c", "read -P 0x33 64k 512",
            "-c", "write -z 4k 4k", "-c", "read -P 0 4k 4k", "-c", "discard 8k 4k", "-c", "flush", served.Uri("d"));
        Assert.Equal((1, 1, 1), (disk.DurableWrites, disk.WritesOfZeroes, disk.Discards));
        Assert.True(disk.Flushes >= 1);
    }

    [Theory(Timeout = Timeout)]
    [InlineData("--bs=4k --iodepth=32", false)]
    [InlineData("--bsrange=512-4m --bs_unaligned=0 --blockalign=512 --iodepth=8", false)]
    [InlineData("--bsrange=512-1m --blockalign=512 --iodepth=32", true)]
    public void Fio_verifies_what_it_wrote(string how, bool asynchronous)
    {
        using ServedRegistry served = new();
        served.Disk("d").Asynchronous = asynchronous;
        served.Create("d", 131072);
        ServedRegistry.RunOk(
            "fio", ["--name=t", "--ioengine=nbd", $"--uri={served.Uri("d")}", "--rw=randwrite", "--verify=crc32c", "--verify_state_save=0", "--verify_fatal=1", "--size=48m", "--randrepeat=1",
            .. how.Split(' ')]);
    }
}
