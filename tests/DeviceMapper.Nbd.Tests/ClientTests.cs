using System.Security.Cryptography;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Nbd.Tests;

/// <summary>Servers of others and our own as table devices.</summary>
public sealed class ClientTests
{
    private const int Timeout = 120_000;
    private const ulong Sectors = 65536;

    public static TheoryData<string> Servers => ["ours", "ours asynchronous", "nbdkit", "nbdkit without structured replies", "qemu-nbd"];

    [Theory(Timeout = Timeout), MemberData(nameof(Servers))]
    public void What_is_written_is_read(string kind)
    {
        using RemoteServer server = new(kind);
        using ServedRegistry served = new();
        served.Registry.Create("m", $"0 {Sectors} linear {server.Uri} 0");
        using TestIo io = new(served.Registry.FindByName("m")!);
        foreach (int length in new[] { 512, 4096, 65536, 1 << 20, 5 << 20, 20 << 20 })
        {
            byte[] data = RandomNumberGenerator.GetBytes(length);
            Assert.Equal(BioStatus.Ok, io.Write(1024, data));
            Assert.Equal(data, io.Read(1024, length));
        }

        Assert.Equal(BioStatus.Ok, io.Do(BioOperation.WriteZeroes, 4096, 8192));
        Assert.Equal(new byte[8192], io.Read(4096, 8192));
        Assert.Equal(BioStatus.Ok, io.Do(BioOperation.Flush, 0, 0));
        Assert.Equal(BioStatus.Ok, io.Write(0, new byte[512], BioFlags.Fua));
        if (served.Registry.FindByName("m")!.Limits.MaxDiscard != SectorCount.Zero)
        {
            Assert.Equal(BioStatus.Ok, io.Do(BioOperation.Discard, 65536, 65536));
        }

        Assert.Equal(BioStatus.IoError, io.Do(BioOperation.Discard, Sectors * 512, 512));
    }

    [Theory(Timeout = Timeout)]
    [InlineData("ours", 1)]
    [InlineData("ours asynchronous", 4)]
    [InlineData("nbdkit", 4)]
    [InlineData("qemu-nbd", 1)]
    public async Task Fio_verifies_what_it_wrote_through_two_servers_and_a_striped_table_while_tables_are_swapped(string kind, int connections)
    {
        using RemoteServer one = new(kind), two = new(kind);
        using ServedRegistry served = new();
        char joint = one.Uri.Contains('?') ? '&' : '?';
        string table = $"0 {2 * Sectors} striped 2 128 {one.Uri}{joint}connections={connections} 0 {two.Uri} 0";
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
            "fio", "--name=t", "--ioengine=nbd", $"--uri={served.Uri("m")}", "--rw=randwrite", "--bsrange=512-1m", "--blockalign=512", "--iodepth=32",
            "--verify=crc32c", "--verify_state_save=0", "--verify_fatal=1", "--size=32m");
        done.Cancel();
        await swaps;
    }

    [Theory(Timeout = Timeout)]
    [InlineData("nbd://127.0.0.1:1/x", Errno.ECONNREFUSED)]
    [InlineData("nbd+unix:///x?socket=/nowhere/nbd", Errno.ENOENT)]
    [InlineData("nbd://", Errno.EINVAL)]
    [InlineData("nbd://host:0/", Errno.EINVAL)]
    [InlineData("nbd+unix:///x", Errno.EINVAL)]
    [InlineData("nbd://h/x?connections=0", Errno.EINVAL)]
    [InlineData("nbd://h/x?foo", Errno.EINVAL)]
    public void A_table_with_a_server_that_is_not_there_is_refused(string word, Errno errno)
    {
        using ServedRegistry served = new();
        DmException refusal = Assert.Throws<DmException>(() => served.Registry.Create("m", $"0 8 linear {word} 0"));
        Assert.Equal(errno, refusal.Errno);
        Assert.Contains(word, refusal.Message);
    }

    [Fact(Timeout = Timeout)]
    public void An_export_that_the_server_does_not_have_or_that_is_read_only_is_refused()
    {
        using RemoteServer server = new("ours");
        using ServedRegistry served = new();
        Assert.Equal(
            Errno.EPROTO, Assert.Throws<DmException>(() => served.Registry.Create("m", $"0 8 linear {server.Uri.Replace("/d?", "/e?")} 0")).Errno);
        server.Ours!.Swap("d", "0 65536 disk d", DeviceMode.ReadOnly);
        Assert.Equal(Errno.EACCES, Assert.Throws<DmException>(() => served.Registry.Create("m", $"0 8 linear {server.Uri} 0")).Errno);
        served.Registry.Create("m", $"0 8 linear {server.Uri} 0", DeviceMode.ReadOnly);
    }

    [Fact(Timeout = Timeout)]
    public void Errors_of_the_server_are_those_of_bios()
    {
        using RemoteServer server = new("ours");
        using ServedRegistry served = new();
        served.Registry.Create("m", $"0 {Sectors} linear {server.Uri} 0");
        using TestIo io = new(served.Registry.FindByName("m")!);
        foreach ((BioStatus remote, BioStatus here) in new[] { (BioStatus.NoSpace, BioStatus.NoSpace), (BioStatus.Medium, BioStatus.IoError) })
        {
            server.Ours!.Disk("d").Fails = remote;
            Assert.Equal(here, io.Write(0, new byte[4096]));
            Assert.Equal(here, io.Do(BioOperation.Read, 0, 4096));
            Assert.Equal(here, io.Do(BioOperation.Read, 0, 1 << 20));
            Assert.Equal(here, io.Do(BioOperation.Flush, 0, 0));
        }
    }

    [Fact(Timeout = Timeout)]
    public void Holes_of_the_server_are_holes_here()
    {
        using RemoteServer server = new("ours");
        server.Ours!.Disk("d").Hole = (64, 128);
        using ServedRegistry served = new();
        MappedDevice device = served.Registry.Create("m", $"0 1000 linear {server.Uri} 32");
        Assert.Equal((new SectorCount(32), false), device.ExtentAt(default, new SectorCount(1000)));
        Assert.Equal((new SectorCount(64), true), device.ExtentAt(new Sector(32), new SectorCount(900)));
    }

    [Fact(Timeout = Timeout)]
    public void A_reload_does_not_connect_again()
    {
        using RemoteServer server = new("ours");
        using ServedRegistry served = new();
        served.Registry.Create("m", $"0 {Sectors} linear {server.Uri} 0");
        long id = Assert.Single(server.Ours!.Server.Connections).Id;
        served.Swap("m", $"0 {Sectors / 2} linear {server.Uri}&reconnect-delay=5 8");
        Assert.Equal(id, Assert.Single(server.Ours!.Server.Connections).Id);
        served.Registry.Remove(served.Registry.FindByName("m")!);
        server.Ours.Server.Settle();
        Assert.Empty(server.Ours.Server.Connections);
    }
}
