using System.Security.Cryptography;
using DeviceMapper.Backends;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using Microsoft.Extensions.Time.Testing;

namespace DeviceMapper.Nbd.Tests;

/// <summary>Servers that go away, and come back.</summary>
public sealed class LossTests
{
    private const int Timeout = 120_000;
    private const ulong Sectors = 65536;

    [Theory(Timeout = Timeout)]
    [InlineData("nbdkit")]
    [InlineData("qemu-nbd")]
    public void Requests_wait_for_a_server_that_was_killed_and_go_on(string kind)
    {
        using RemoteServer server = new(kind);
        using ServedRegistry served = new();
        MappedDevice device = served.Registry.Create("m", $"0 {Sectors} watch {server.Uri} 0");
        IPathMonitor path = served.Path!;
        using TestIo io = new(device);
        byte[] data = RandomNumberGenerator.GetBytes(1 << 20);
        Assert.Equal(BioStatus.Ok, io.Write(0, data));
        server.Kill();
        Assert.True(SpinWait.SpinUntil(() => !path.IsConnected, TimeSpan.FromSeconds(30)));
        io.Begin(BioOperation.Read, 0, data.Length);
        Assert.False(io.HasEnded);
        io.Memory[..data.Length].Clear();
        server.Start();
        Assert.Equal(BioStatus.Ok, io.End());
        Assert.True(path.IsConnected);
        Assert.Equal(data, io.Memory[..data.Length].ToArray());
    }

    [Fact(Timeout = Timeout)]
    public async Task Fio_verifies_what_it_wrote_while_the_server_is_killed_again_and_again()
    {
        using RemoteServer server = new("nbdkit");
        using ServedRegistry served = new();
        served.Registry.Create("m", $"0 {Sectors} watch {server.Uri} 0");
        using CancellationTokenSource done = new();
        Task kills = Task.Run(() =>
        {
            while (!done.Token.WaitHandle.WaitOne(300))
            {
                server.Kill();
                server.Start();
            }
        });
        ServedRegistry.RunOk(
            "fio", "--name=t", "--ioengine=nbd", $"--uri={served.Uri("m")}", "--rw=randwrite", "--bsrange=512-256k", "--blockalign=512", "--iodepth=16",
            "--verify=crc32c", "--verify_state_save=0", "--verify_fatal=1", "--size=24m", "--rate=6m");
        done.Cancel();
        await kills;
    }

    [Fact(Timeout = Timeout)]
    public void Who_wants_to_fail_fast_is_told_at_once_and_the_return_is_seen()
    {
        using RemoteServer server = new("nbdkit");
        using ServedRegistry served = new();
        MappedDevice device = served.Registry.Create("m", $"0 {Sectors} watch {server.Uri} 0");
        IPathMonitor path = served.Path!;
        using SemaphoreSlim changes = new(0);
        path.StateChanged += () => changes.Release();
        using TestIo io = new(device);
        server.Kill();
        Assert.True(changes.Wait(30_000));
        Assert.False(path.IsConnected);
        Assert.Equal(BioStatus.Transport, io.Do(BioOperation.Read, 0, 4096, BioFlags.FailFast));
        server.Start();
        Assert.True(changes.Wait(30_000));
        Assert.True(path.IsConnected);
        Assert.Equal(BioStatus.Ok, io.Do(BioOperation.Read, 0, 4096, BioFlags.FailFast));
    }

    [Fact(Timeout = Timeout)]
    public void Requests_in_flight_fail_fast_too()
    {
        using RemoteServer server = new("ours");
        using ServedRegistry served = new();
        MappedDevice device = served.Registry.Create("m", $"0 {Sectors} watch {server.Uri} 0");
        using TestIo io = new(device);
        server.Ours!.Disk("d").Holds = true;
        io.Begin(BioOperation.Write, 0, 4096, BioFlags.FailFast);
        Wait(() => server.Ours.Disk("d").Held == 1);
        server.Ours.Server.Disconnect(_ => true);
        Assert.Equal(BioStatus.Transport, io.End());
    }

    [Fact(Timeout = Timeout)]
    public void Requests_fail_when_the_server_stays_away()
    {
        FakeTimeProvider time = new();
        using RemoteServer server = new("nbdkit");
        using ServedRegistry served = new(time);
        MappedDevice device = served.Registry.Create("m", $"0 {Sectors} watch {server.Uri}&reconnect-delay=7 0");
        IPathMonitor path = served.Path!;
        using TestIo io = new(device);
        server.Kill();
        Wait(() => !path.IsConnected);
        io.Begin(BioOperation.Read, 0, 4096);
        time.Advance(TimeSpan.FromSeconds(6.9));
        Assert.False(io.HasEnded);
        time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal(BioStatus.IoError, io.End());
        Assert.Equal(BioStatus.IoError, io.Do(BioOperation.Read, 0, 4096));
        server.Start();
        Wait(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return path.IsConnected;
        });
        Assert.Equal(BioStatus.Ok, io.Do(BioOperation.Read, 0, 4096));
    }

    [Fact(Timeout = Timeout)]
    public void A_server_that_comes_back_with_another_size_is_not_used()
    {
        FakeTimeProvider time = new();
        using RemoteServer server = new("ours");
        using ServedRegistry served = new(time);
        MappedDevice device = served.Registry.Create("m", $"0 {Sectors} watch {server.Uri} 0");
        IPathMonitor path = served.Path!;
        using TestIo io = new(device);
        server.Ours!.Swap("d", $"0 {2 * Sectors} disk d");
        server.Ours.Server.Disconnect(_ => true);
        Wait(() => !path.IsConnected);
        for (int i = 0; i < 20; i++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            Assert.False(path.IsConnected);
        }

        server.Ours.Swap("d", $"0 {Sectors} disk d");
        Wait(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return path.IsConnected;
        });
        Assert.Equal(BioStatus.Ok, io.Do(BioOperation.Read, 0, 4096));
    }

    [Fact(Timeout = Timeout)]
    public void A_write_waits_while_an_earlier_one_may_still_be_under_way_at_the_server()
    {
        FakeTimeProvider time = new();
        using RemoteServer server = new("ours");
        using ServedRegistry served = new(time);
        TestDisk disk = server.Ours!.Disk("d");
        MappedDevice device = served.Registry.Create("m", $"0 {Sectors} watch {server.Uri}&in-doubt=10 0");
        IPathMonitor path = served.Path!;
        using TestIo first = new(device), over = new(device), beside = new(device);
        disk.Holds = true;
        first.Memory[..4096].Fill(1);
        over.Memory[..4096].Fill(2);
        first.Begin(BioOperation.Write, 4096, 4096);
        Wait(() => disk.Held == 1);
        server.Ours.Server.Disconnect(_ => true);
        Wait(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(100));
            return disk.Held == 2; // and now it is there twice
        });
        beside.Begin(BioOperation.Write, 8192, 4096);
        Wait(() => disk.Held == 3);
        over.Begin(BioOperation.Write, 512, 4096);
        time.Advance(TimeSpan.FromSeconds(8));
        Assert.False(over.HasEnded);
        Assert.Equal(3, disk.Held);
        disk.Release();
        Assert.Equal(BioStatus.Ok, first.End());
        Assert.Equal(BioStatus.Ok, beside.End());
        Assert.False(over.HasEnded);
        time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(BioStatus.Ok, over.End());
        Assert.Equal(2, disk.Data[4096]);
        Assert.True(path.IsConnected);
    }

    [Fact(Timeout = Timeout)]
    public void A_server_that_hangs_is_given_up_and_its_writes_are_in_doubt_until_it_is_gone()
    {
        using RemoteServer server = new("nbdkit");
        using ServedRegistry served = new();
        MappedDevice device = served.Registry.Create("m", $"0 {Sectors} watch {server.Uri}&request-timeout=0.2 0");
        IPathMonitor path = served.Path!;
        using TestIo io = new(device);
        Assert.Equal(BioStatus.Ok, io.Do(BioOperation.Write, 0, 4096, BioFlags.FailFast));
        server.Stop();
        Assert.Equal(BioStatus.Transport, io.Do(BioOperation.Write, 0, 4096, BioFlags.FailFast));
        Assert.False(path.IsConnected);
        Assert.False(path.IsSettled);
        server.Kill();
        Wait(() => path.IsSettled);
    }

    [Fact(Timeout = Timeout)]
    public void A_server_that_was_killed_leaves_no_doubt()
    {
        using RemoteServer server = new("nbdkit");
        using ServedRegistry served = new();
        served.Registry.Create("m", $"0 {Sectors} watch {server.Uri} 0");
        IPathMonitor path = served.Path!;
        server.Kill();
        Wait(() => !path.IsConnected);
        Wait(() => path.IsSettled);
    }

    private static void Wait(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(condition, TimeSpan.FromSeconds(30)), "it does not happen");
}
