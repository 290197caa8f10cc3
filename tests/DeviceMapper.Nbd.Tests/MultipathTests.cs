using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using DeviceMapper.Backends;
using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Nbd.Tests;

/// <summary>One image behind several servers, which are killed, stopped and brought back under multipath.</summary>
public sealed class MultipathTests
{
    private const int Timeout = 300_000;
    private const ulong Sectors = 65536;
    private const int Region = 1 << 20; // bytes, of each worker
    private const int Rounds = 20;
    private const string TortureFeatures = "4 queue_if_no_path allow_dead_paths shared_cache checker";
    private const int LongTorture = 300; // seconds: it runs alone then, and its memory can be looked at

    [Fact(Timeout = Timeout)]
    public void Io_goes_on_over_the_other_server_and_back_when_it_returns()
    {
        using Servers servers = new("nbdkit", "nbdkit");
        using ServedRegistry served = new();
        MappedDevice device = served.Registry.Create("m", servers.Table("1 queue_if_no_path", 0, 1));
        using TestIo io = new(device);
        Assert.Equal(BioStatus.Ok, io.Do(BioOperation.Write, 0, 4096));
        servers[0].Kill();
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal(BioStatus.Ok, io.Do(BioOperation.Write, 0, 4096));
        }

        servers[1].Kill();
        io.Begin(BioOperation.Read, 0, 4096);
        servers[0].Start();
        Assert.Equal(BioStatus.Ok, io.End());
    }

    [Fact(Timeout = Timeout)]
    public void A_write_that_a_stopped_server_kept_undoes_no_later_one() => Assert.Contains(Enumerable.Range(0, Rounds), _ => KeepsAWrite(inDoubt: 30));

    [Fact(Timeout = Timeout)]
    public void With_the_rule_off_what_it_is_for_happens() => Assert.Contains(Enumerable.Range(0, Rounds), _ => KeepsAWrite(inDoubt: 0));

    [Fact(Timeout = Timeout)]
    public void A_server_that_comes_back_with_another_disk_is_not_used()
    {
        using Servers servers = new("nbdkit", "nbdkit");
        using ServedRegistry served = new();
        servers.FillImage(1);
        MappedDevice device = served.Registry.Create("m", servers.Table("1 queue_if_no_path", 0, 1));
        using TestIo io = new(device);
        Assert.Equal(BioStatus.Ok, io.Do(BioOperation.Write, 0, 4096)); // what is written since does not count
        servers[0].Kill();
        servers.FillImage(2);
        Assert.Equal(2, io.Read(4096, 512)[0]); // the other server's, which never went away
        servers[0].Start();
        WaitUntil(() => Paths(device)[0].GetProperty("reason").GetString()!.StartsWith("another disk answers", StringComparison.Ordinal));
        Assert.Equal("failed", Paths(device)[0].GetProperty("state").GetString());

        device.LoadTable(servers.Table("1 queue_if_no_path", 0, 1)); // a new table does not trust it either
        device.Resume(SuspendOptions.NoFlush);
        WaitUntil(() => Paths(device)[0].GetProperty("reason").GetString()!.StartsWith("another disk answers", StringComparison.Ordinal));
        Assert.Equal("failed", Paths(device)[0].GetProperty("state").GetString());

        servers[0].Kill();
        servers.FillImage(1);
        servers[0].Start();
        WaitUntil(() => Paths(device)[0].GetProperty("state").GetString() == "active");

        servers[0].Kill();
        servers.FillImage(2);
        _ = io.Read(0, 512);
        _ = io.Read(0, 512);
        servers[0].Start();
        WaitUntil(() => Paths(device)[0].GetProperty("reason").GetString()!.StartsWith("another disk answers", StringComparison.Ordinal));
        device.Message(default, $"reinstate_path {Paths(device)[0].GetProperty("number").GetString()}"); // somebody knows better
        Assert.Equal("active", Paths(device)[0].GetProperty("state").GetString());
    }

    [Fact(Timeout = Timeout)]
    public void A_dead_path_that_turns_out_to_be_another_disk_is_not_used()
    {
        using Servers servers = new("nbdkit", "nbdkit");
        using Servers others = new("nbdkit");
        using ServedRegistry served = new();
        servers.FillImage(1);
        others.FillImage(2);
        others[0].Kill();
        servers[1].Kill();
        MappedDevice device = served.Registry.Create(
            "m", $"0 {Sectors} multipath 2 queue_if_no_path allow_dead_paths 0 1 1 round-robin 0 3 0 {servers[0].Uri} {servers[1].Uri} {others[0].Uri}");
        others[0].Start();
        servers[1].Start();
        WaitUntil(() => Paths(device)[1].GetProperty("state").GetString() == "active");
        WaitUntil(() => Paths(device)[2].GetProperty("reason").GetString()!.StartsWith("another disk answers", StringComparison.Ordinal));
        Assert.Equal("failed", Paths(device)[2].GetProperty("state").GetString());
    }

    [Fact(Timeout = Timeout)]
    public void A_table_that_is_new_since_the_loss_sends_nothing_to_another_disk()
    {
        using Servers servers = new("nbdkit");
        using ServedRegistry served = new();
        servers.FillImage(1);
        MappedDevice first = served.Registry.Create("first", $"0 {Sectors} watch {servers[0].Uri} 0");
        IPathMonitor way = served.Path!;
        MappedDevice device = served.Registry.Create("m", servers.Table("1 queue_if_no_path", 0));
        using TestIo io = new(device), late = new(device);
        using ManualResetEventSlim lost = new();
        way.StateChanged += () =>
        {
            if (way.IsConnected)
            {
                late.Begin(BioOperation.Write, 4096, 512); // before the new table's target hears of the return
            }
            else
            {
                lost.Set(); // all have heard of the loss that will hear of it
            }
        };
        Assert.Equal(1, io.Read(4096, 512)[0]);
        servers[0].Kill();
        Assert.True(lost.Wait(Timeout / 2));
        servers.FillImage(2);
        device.LoadTable(servers.Table("1 queue_if_no_path", 0));
        device.Resume(SuspendOptions.NoFlush);
        Assert.Equal("active", Paths(device)[0].GetProperty("state").GetString());
        servers[0].Start();
        WaitUntil(() => Paths(device)[0].GetProperty("reason").GetString()!.StartsWith("another disk answers", StringComparison.Ordinal));
        Assert.False(late.HasEnded);
        device.Message(default, "fail_if_no_path");
        Assert.Equal(BioStatus.IoError, late.End());
        using TestIo direct = new(first);
        Assert.Equal(2, direct.Read(4096, 512)[0]);
    }

    /// <summary>A server is stopped, and what was sent to it is written through the other, then written over, then it goes on.</summary>
    /// <returns>
    /// Whether it had kept a write. On a busy machine a path may be given up for being slow before the server was stopped, or before the write was sent: then there
    /// is nothing to see.
    /// </returns>
    private static bool KeepsAWrite(int inDoubt)
    {
        using Servers servers = new("nbdkit", "nbdkit");
        using ServedRegistry served = new();
        MappedDevice device = served.Registry.Create("m", servers.Table($"3 queue_if_no_path in_doubt_secs {inDoubt}", 0, 1));
        using TestIo first = new(device), second = new(device);
        servers[0].Stop();
        first.Memory[..4096].Fill(1);
        while (!Status(device).Contains(" F ", StringComparison.Ordinal))
        {
            Assert.Equal(BioStatus.Ok, first.Do(BioOperation.Write, 8192, 4096)); // the one to the stopped server goes to the other in the end
        }

        second.Memory[..4096].Fill(2);
        second.Begin(BioOperation.Write, 8192, 4096);
        if (inDoubt == 0)
        {
            Assert.Equal(BioStatus.Ok, second.End());
            servers[0].Continue();
            return SpinWait.SpinUntil(() => first.Read(8192, 512)[0] == 1, TimeSpan.FromSeconds(10));
        }

        bool waited = !second.HasEnded;
        servers[0].Continue();
        Assert.Equal(BioStatus.Ok, second.End());
        Assert.Equal(2, first.Read(8192, 512)[0]);
        return waited;
    }

    /// <summary>
    /// Nothing is lost, torn, stale, doubled or failed while servers of several kinds, ours too, come and go, and no connection is left. The seed is
    /// printed with a failure; UDM_TORTURE_SEED repeats it, UDM_TORTURE_SECONDS makes it last, and then memory has to stay as it is.
    /// </summary>
    [Fact(Timeout = 2 * 3600 * 1000)]
    public async Task Torture()
    {
        int seed = Setting("UDM_TORTURE_SEED", Random.Shared.Next());
        TimeSpan duration = TimeSpan.FromSeconds(Setting("UDM_TORTURE_SECONDS", 30));
        ConcurrentQueue<string> story = new([$"seed {seed}"]);
        using Servers servers = new("nbdkit", "nbdkit, slow", "nbdkit, with errors", "udm");
        using ServedRegistry served = new();
        MappedDevice device = served.Registry.Create("m", servers.Table(TortureFeatures, servers.All));
        long start = Stopwatch.GetTimestamp();
        bool Over() => Stopwatch.GetElapsedTime(start) > duration;
        Task[] workers = [.. Enumerable.Range(0, 4).Select(w => Task.Run(() => Work(device, w, new Random(seed + w), Over)))];
        try
        {
            await Task.Run(() => Torment(servers, device, new Random(seed), story, () => Over() || workers.Any(w => w.IsFaulted)));
            await Task.WhenAll(workers).WaitAsync(TimeSpan.FromSeconds(120));
            WaitUntil(() => servers.All.All(i => servers[i].Connections == 1));
            served.Registry.Remove(device);
            WaitUntil(() => servers.All.All(i => servers[i].Connections == 0));
        }
        catch (Exception e)
        {
            Assert.Fail($"{string.Join('\n', story)}\n{Status(device)}\n{device.Message(default, "show_paths")}\n{e}");
        }
    }

    private static void Torment(Servers servers, MappedDevice device, Random random, ConcurrentQueue<string> story, Func<bool> over)
    {
        bool isLong = Setting("UDM_TORTURE_SECONDS", 0) >= LongTorture;
        long memory = long.MaxValue;
        for (int round = 0; !over(); round++)
        {
            if (isLong && round == 100)
            {
                memory = GC.GetTotalMemory(forceFullCollection: true);
            }

            int victim = random.Next(servers.Count);
            int pause = random.Next(20, 800);
            if (servers[victim].HasEnded)
            {
                story.Enqueue($"server {victim} has ended by itself, and is started again");
                servers[victim].Kill();
                servers[victim].Start();
            }

            switch (random.Next(4))
            {
                case 0:
                    story.Enqueue($"server {victim} is killed, and back after {pause} ms");
                    servers[victim].Kill();
                    Thread.Sleep(pause);
                    servers[victim].Start();
                    break;
                case 1:
                    story.Enqueue($"server {victim} is stopped for {2 * pause} ms");
                    servers[victim].Stop();
                    Thread.Sleep(2 * pause);
                    servers[victim].Continue();
                    break;
                case 2:
                    int[] paths = [.. Enumerable.Range(0, servers.Count).Where(i => i == victim || random.Next(2) == 0)];
                    story.Enqueue($"a table with the paths {string.Join(", ", paths)}");
                    device.LoadTable(servers.Table(TortureFeatures, paths));
                    device.Resume(SuspendOptions.NoFlush);
                    Thread.Sleep(pause);
                    break;
                default:
                    Thread.Sleep(pause);
                    break;
            }
        }

        foreach (int ended in servers.All.Where(i => servers[i].HasEnded))
        {
            servers[ended].Kill();
            servers[ended].Start();
        }

        device.LoadTable(servers.Table(TortureFeatures, servers.All));
        device.Resume(SuspendOptions.NoFlush);
        Assert.True(!isLong || GC.GetTotalMemory(forceFullCollection: true) < memory + (4 << 20), "memory has grown");
    }

    /// <summary>Writes over what it wrote before, and reads what must be there, in a region of its own.</summary>
    private static void Work(MappedDevice device, int worker, Random random, Func<bool> over)
    {
        using TestIo io = new(device);
        byte[] model = new byte[Region];
        ulong at = (ulong)(worker * Region);
        Assert.Equal(BioStatus.Ok, io.Write(at, model));
        for (int step = 0; !over(); step++)
        {
            int offset = 512 * random.Next(Region / 512 / 16); // a sixteenth of it, so that writes overlap
            int length = 512 * random.Next(1, 64);
            if (random.Next(2) == 0)
            {
                random.NextBytes(model.AsSpan(offset, length));
                BioStatus status = io.Write(at + (ulong)offset, model[offset..(offset + length)]);
                Assert.True(status == BioStatus.Ok, $"worker {worker}, step {step}: a write of {length} bytes at {offset} ended with {status}");
            }
            else
            {
                byte[] data = io.Read(at + (ulong)offset, length);
                int wrong = data.AsSpan().CommonPrefixLength(model.AsSpan(offset, length));
                Assert.True(wrong == length, $"worker {worker}, step {step}: byte {offset + wrong} of a read of {length} at {offset} is not what was written");
            }
        }

        Assert.Equal(model, io.Read(at, Region));
    }

    private static JsonElement[] Paths(MappedDevice device)
    {
        using JsonDocument report = JsonDocument.Parse(device.Message(default, "show_paths")!);
        return [.. report.RootElement.GetProperty("groups")[0].GetProperty("paths").EnumerateArray().Select(p => p.Clone())];
    }

    private static void WaitUntil(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(condition, TimeSpan.FromMinutes(3)));

    private static string Status(MappedDevice device) => device.TableTexts(arguments: false)[0].Text;

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : otherwise;

    /// <summary>Servers of one image.</summary>
    private sealed class Servers : IDisposable
    {
        private readonly string _folder = Directory.CreateTempSubdirectory("udm-multipath-").FullName;
        private readonly RemoteServer[] _servers;

        public Servers(params string[] kinds) => _servers = [.. kinds.Select(kind => new RemoteServer(kind, Path.Join(_folder, "image")))];

        public int Count => _servers.Length;

        public int[] All => [.. Enumerable.Range(0, Count)];

        public RemoteServer this[int index] => _servers[index];

        /// <summary>Fills the image with a byte, all but what the tests write.</summary>
        public void FillImage(byte value)
        {
            using FileStream image = new(Path.Join(_folder, "image"), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            image.Position = 4096;
            byte[] data = new byte[1 << 20];
            data.AsSpan().Fill(value);
            for (int i = 0; i < 31; i++)
            {
                image.Write(data);
            }
        }

        /// <summary>A table over some of them. A stopped server is given up after half a second, and what it kept is taken to be done a second after its return.</summary>
        public string Table(string features, params int[] paths) =>
            $"0 {Sectors} multipath {features} 0 1 1 round-robin 0 {paths.Length} 0 "
            + string.Join(' ', paths.Select(p => $"{_servers[p].Uri}&request-timeout=0.5&in-doubt=1"));

        public void Dispose()
        {
            foreach (RemoteServer server in _servers)
            {
                server.Dispose();
            }

            Directory.Delete(_folder, recursive: true);
        }
    }
}
