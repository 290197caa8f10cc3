using System.Security.Cryptography;
using DeviceMapper.Nbd.Server;

namespace DeviceMapper.Nbd.Tests;

/// <summary>Requests of one connection that have to wait for a disk.</summary>
public sealed class WaitingTests
{
    private const int Timeout = 120_000;

    [Theory(Timeout = Timeout)]
    [InlineData("")]
    [InlineData("&aio=io_uring")]
    [InlineData("&direct=on")]
    [InlineData("&direct=on&aio=io_uring")]
    [InlineData("&direct=on&aio=threads")]
    public async Task Fio_verifies_what_it_wrote_to_a_file_under_swaps(string options)
    {
        using ServedRegistry served = new();
        string file = $"file:{served.Folder}/image?size=64M{options}";
        string table = $"0 131072 striped 2 128 {file} 0 {file} 65536";
        served.Registry.Create("m", table);
        using CancellationTokenSource done = new();
        Task swaps = Task.Run(() =>
        {
            while (!done.Token.WaitHandle.WaitOne(50))
            {
                served.Swap("m", table);
            }
        });
        ServedRegistry.RunOk(
            "fio", "--name=t", "--ioengine=nbd", $"--uri={served.Uri("m")}", "--rw=randrw", "--bssplit=4k/89:512/4:68k/4:1m/2:4m/1", "--blockalign=512", "--iodepth=32",
            "--numjobs=4", "--size=16m", "--offset_increment=16m", "--verify=crc32c", "--verify_state_save=0", "--verify_fatal=1");
        done.Cancel();
        await swaps;
    }

    [Fact(Timeout = Timeout)]
    public void A_cold_file_is_read_by_many_threads_and_stripes_count_no_errors()
    {
        using ServedRegistry served = new();
        string file = Path.Join(served.Folder, "image");
        byte[] data = RandomNumberGenerator.GetBytes(32 << 20);
        File.WriteAllBytes(file, data);
        ServedRegistry.RunOk("dd", $"of={file}", "oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none");
        Mapping.MappedDevice device = served.Registry.Create("m", $"0 65536 striped 2 128 {file} 0 {file} 32768");
        uint events = device.EventNumber;
        string back = file + ".back";
        ServedRegistry.RunOk("nbdcopy", served.Uri("m"), back);
        byte[] read = File.ReadAllBytes(back);
        for (int chunk = 0; chunk < 512; chunk++)
        {
            int from = ((chunk / 2) + (chunk % 2 * 256)) << 16;
            Assert.True(read.AsSpan(chunk << 16, 1 << 16).SequenceEqual(data.AsSpan(from, 1 << 16)), $"chunk {chunk} differs");
        }

        Assert.Equal(events, device.EventNumber); // each error of a stripe would be one
    }

    [Fact]
    public void Writes_that_take_long_are_noticed_and_so_is_that_they_do_no_more()
    {
        WriteTimes times = new();
        Assert.False(times.AreLong);
        for (int i = 0; i < 3; i++)
        {
            times.Took(100, bytes: 4096);
        }

        Assert.True(times.AreLong);
        for (int i = 0; i < 6; i++)
        {
            times.Took(3, bytes: 4096);
        }

        Assert.False(times.AreLong);
        for (int i = 0; i < 9; i++)
        {
            times.Took(100, bytes: 128 << 10); // as long as that takes to copy
        }

        Assert.False(times.AreLong);
    }
}
