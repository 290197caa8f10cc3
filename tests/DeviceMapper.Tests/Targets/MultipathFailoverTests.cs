using System.Text.Json;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

/// <summary>Multipath over paths that are lost and come back, that are dead when the table is loaded, and that may do late what they were told.</summary>
public sealed class MultipathFailoverTests
{
    private const string Queueing = "0 1000 multipath 1 queue_if_no_path 0 1 1 round-robin 0 2 1 a 1 b 1";
    private const string AllowingDead = "0 1000 multipath 2 queue_if_no_path allow_dead_paths 0 1 1 round-robin 0 2 1 a 1 b 1";

    [Fact]
    public void A_path_whose_backend_loses_the_way_fails_and_is_back_with_it()
    {
        using TestRegistry registry = WatchedPaths();
        MappedDevice device = registry.Create("m", Queueing);
        registry["a"].Disconnect();
        registry["b"].Disconnect();
        TestBio bio = TestBio.Submit(device, BioOperation.Read, 0, 1);
        Assert.Equal("2 0 0 0 1 1 E 0 2 0 a F 1 b F 1 ", Status(device));
        Assert.False(bio.Ended);
        registry["b"].Connect();
        Assert.Equal(BioStatus.Ok, bio.Wait());
        Assert.Equal("2 0 0 0 1 1 A 0 2 0 a F 1 b A 1 ", Status(device));
    }

    [Fact]
    public void A_loss_that_an_io_finds_first_ends_with_the_return_too()
    {
        using TestRegistry registry = WatchedPaths();
        MappedDevice device = registry.Create("m", Queueing);
        registry["a"].Disconnect(tell: false);
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Read, 0, 1));
        Assert.Contains("a F 1", Status(device));
        registry["a"].Connect();
        Assert.Contains("a A 1", Status(device));
    }

    [Fact]
    public void A_path_that_a_message_failed_does_not_come_back_by_itself()
    {
        using TestRegistry registry = WatchedPaths();
        MappedDevice device = registry.Create("m", Queueing);
        device.Message(default, "fail_path a");
        registry["b"].Disconnect();
        device.Message(default, "fail_path b");
        registry["a"].Disconnect();
        registry["a"].Connect();
        registry["b"].Connect();
        Assert.Contains("a F 1 b F 1", Status(device));
        device.Message(default, "reinstate_path b");
        Assert.Contains("a F 1 b A 1", Status(device));
    }

    [Fact]
    public void A_new_table_starts_with_good_paths_and_finds_the_loss_by_itself()
    {
        using TestRegistry registry = WatchedPaths();
        MappedDevice device = registry.Create("m", Queueing);
        registry["a"].Disconnect();
        TestRegistry.Swap(device, Queueing, options: SuspendOptions.NoFlush);
        Assert.Contains("a A 0 b A 0", Status(device));
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Read, 0, 1));
        Assert.Contains("a F 1 b A 0", Status(device));
        registry["a"].Connect();
        Assert.Contains("a A 1 b A 0", Status(device));
    }

    [Fact]
    public void Dead_paths_are_refused_unless_the_table_allows_them()
    {
        using TestRegistry registry = WatchedPaths();
        Kill(registry["b"]);
        MappedDevice device = registry.Registry.Create("m");
        Assert.Equal(Errno.ECONNREFUSED, Assert.Throws<DmException>(() => device.LoadTable(Queueing)).Errno);
        device.LoadTable(AllowingDead);
        device.Resume();
        Assert.Equal("2 1 0 0 1 1 E 0 2 0 a A 0 b F 0 ", Status(device));
        Assert.Equal(AllowingDead, TestRegistry.TableOf(device).TrimEnd());
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Read, 0, 1));
    }

    [Fact]
    public void A_dead_path_is_opened_when_it_is_there()
    {
        using TestRegistry registry = WatchedPaths();
        Kill(registry["a"]);
        Kill(registry["b"]);
        MappedDevice device = registry.Create("m", AllowingDead);
        TestBio bio = TestBio.Submit(device, BioOperation.Write, 1, 1);
        registry["b"].OpenFailure = null;
        AdvanceUntil(registry, () => bio.Ended, "the write");
        Assert.Equal(BioStatus.Ok, bio.Wait());
        Assert.Equal("2 0 0 0 1 1 A 0 2 0 a F 0 b A 0 ", Status(device));
        Assert.Equal(0, registry["a"].TotalOpens);
        Assert.Equal(["b"], device.Dependencies().Select(d => d.Name));
    }

    [Fact]
    public void A_dead_path_that_turns_out_too_small_stays_failed_with_its_reason()
    {
        using TestRegistry registry = WatchedPaths();
        Kill(registry["b"]);
        MappedDevice device = registry.Create("m", AllowingDead);
        registry["b"].Size = new SectorCount(999);
        registry["b"].OpenFailure = null;
        AdvanceUntil(registry, () => registry["b"].TotalOpens > 0 && registry["b"].OpenNow == 0, "the open");
        Assert.Contains("b F 0", Status(device));
        Assert.Contains("999 sectors, too few", ReasonOf(device, "b"));
        registry["b"].Size = new SectorCount(1024);
        AdvanceUntil(registry, () => Status(device).Contains("b A 0"), "the path");
    }

    [Fact]
    public void Removal_ends_the_opens_of_dead_paths()
    {
        using TestRegistry registry = WatchedPaths();
        Kill(registry["b"]);
        MappedDevice device = registry.Create("m", AllowingDead);
        registry["b"].HangOpens();
        AdvanceUntil(registry, () => registry["b"].Claims == 1, "the open");
        registry.Registry.Remove(device);
        registry["b"].LetOpensGo();
        Wait.Until(() => registry.Registry.Claims.Count == 0, "the claim's end");
    }

    [Fact]
    public void A_message_about_a_dead_path_says_why_it_is_dead()
    {
        using TestRegistry registry = WatchedPaths();
        Kill(registry["b"]);
        MappedDevice device = registry.Create("m", AllowingDead);
        DmException refusal = Assert.Throws<DmException>(() => device.Message(default, "reinstate_path b"));
        Assert.Equal(Errno.ENXIO, refusal.Errno);
        Assert.Contains("nobody answers", refusal.Message);
    }

    [Fact]
    public void The_checker_reinstates_a_path_that_can_be_read_again()
    {
        using TestRegistry registry = WatchedPaths();
        MappedDevice device = registry.Create("m", "0 1000 multipath 1 checker 0 1 1 round-robin 0 2 1 a 1 b 1");
        registry["a"].Answer = _ => BioStatus.IoError;
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Read, 0, 1));
        Assert.Contains("a F 1", Status(device));
        registry.Time.Advance(TimeSpan.FromSeconds(6));
        Assert.Contains("a F 1", Status(device));
        registry["a"].Answer = null;
        registry.Time.Advance(TimeSpan.FromSeconds(6));
        Assert.Contains("a A 1", Status(device));
    }

    [Fact]
    public void Without_the_checker_a_path_that_failed_stays_so()
    {
        using TestRegistry registry = WatchedPaths();
        MappedDevice device = registry.Create("m", Queueing);
        registry["a"].Answer = _ => BioStatus.IoError;
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Read, 0, 1));
        registry["a"].Answer = null;
        registry.Time.Advance(TimeSpan.FromHours(1));
        Assert.Contains("a F 1", Status(device));
    }

    [Fact]
    public void Probing_finds_the_paths_that_do_not_work()
    {
        using TestRegistry registry = WatchedPaths();
        MappedDevice device = registry.Create("m", Queueing);
        registry["a"].Answer = _ => BioStatus.IoError;
        device.Message(default, "probe_paths");
        Assert.Contains("a F 1 b A 0", Status(device));
        registry["b"].Answer = _ => BioStatus.IoError;
        Assert.Equal(Errno.ENOTCONN, Assert.Throws<DmException>(() => device.Message(default, "probe_paths")).Errno);
    }

    [Fact]
    public void A_write_over_one_in_doubt_waits_until_the_doubt_is_over()
    {
        using TestRegistry registry = WatchedPaths();
        MappedDevice device = registry.Create("m", Queueing);
        registry["a"].Holding = true;
        TestBio given = TestBio.Submit(device, BioOperation.Write, 10, 10);
        registry["a"].Stop();
        registry["a"].EndAll(); // it is given up there, and sent on b at once
        Assert.Equal(BioStatus.Ok, given.Wait());
        TestBio overlapping = TestBio.Submit(device, BioOperation.Write, 19, 2);
        TestBio discard = TestBio.Submit(device, BioOperation.Discard, 0, 11);
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Write, 20, 5));
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Read, 10, 10));
        Assert.False(overlapping.Ended || discard.Ended);
        registry["a"].Connect(); // connected again, but by another connection
        Assert.False(overlapping.Ended || discard.Ended);
        registry["a"].Settle();
        Assert.Equal((BioStatus.Ok, BioStatus.Ok), (overlapping.Wait(), discard.Wait()));
    }

    [Fact]
    public void A_doubt_that_does_not_end_fails_the_write_after_its_time()
    {
        using TestRegistry registry = WatchedPaths();
        MappedDevice device = registry.Create("m", "0 1000 multipath 3 queue_if_no_path in_doubt_secs 5 0 1 1 round-robin 0 2 1 a 1 b 1");
        GiveUpWrite(registry, device, 10, 10);
        TestBio overlapping = TestBio.Submit(device, BioOperation.Write, 10, 1);
        registry.Time.Advance(TimeSpan.FromSeconds(4));
        Assert.False(overlapping.Ended);
        registry.Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(BioStatus.IoError, overlapping.Wait());
        Assert.Contains(registry.Log.Lines, l => l.Contains("a write of 1 sectors at 10 fails"));
    }

    [Fact]
    public void With_in_doubt_secs_0_nothing_waits()
    {
        using TestRegistry registry = WatchedPaths();
        MappedDevice device = registry.Create("m", "0 1000 multipath 3 queue_if_no_path in_doubt_secs 0 0 1 1 round-robin 0 2 1 a 1 b 1");
        GiveUpWrite(registry, device, 10, 10);
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Write, 10, 1));
    }

    [Fact]
    public void A_doubt_outlives_the_table_and_its_own_write_goes_on_through_the_next()
    {
        using TestRegistry registry = WatchedPaths();
        registry.Add(new FakeDevice("c", registry["a"]));
        MappedDevice device = registry.Create("m", Queueing);
        foreach (FakeDevice path in (FakeDevice[])[registry["a"], registry["b"]])
        {
            path.Holding = true;
        }

        TestBio given = TestBio.Submit(device, BioOperation.Write, 10, 10);
        registry["a"].Stop();
        registry["b"].Stop();
        registry["a"].EndAll();
        registry["b"].EndAll();
        TestBio overlapping = TestBio.Submit(device, BioOperation.Write, 12, 1);
        TestRegistry.Swap(device, Queueing.Replace("2 1 a 1 b 1", "3 1 a 1 b 1 c 1"), options: SuspendOptions.NoFlush);
        Assert.Equal(BioStatus.Ok, given.Wait());
        Assert.False(overlapping.Ended);
        registry["a"].Settle();
        registry["b"].Settle();
        Assert.Equal(BioStatus.Ok, overlapping.Wait());
    }

    [Fact]
    public void The_doubt_of_a_path_that_the_table_has_not_any_more_ends_after_its_time()
    {
        using TestRegistry registry = WatchedPaths();
        MappedDevice device = registry.Create("m", Queueing);
        GiveUpWrite(registry, device, 10, 10);
        TestRegistry.Swap(device, "0 1000 multipath 1 queue_if_no_path 0 1 1 round-robin 0 1 1 b 1", options: SuspendOptions.NoFlush);
        TestBio overlapping = TestBio.Submit(device, BioOperation.Write, 12, 1);
        registry.Time.Advance(TimeSpan.FromSeconds(31));
        overlapping.Wait();
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Write, 12, 1));
    }

    [Fact]
    public void A_flush_reaches_each_cache_and_fails_once_when_one_was_lost_with_writes_in_it()
    {
        using TestRegistry registry = PrivateCaches();
        MappedDevice device = registry.Create("m", Queueing);
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Write, 0, 1));
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Write, 0, 1));
        Assert.Equal(BioStatus.Ok, TestBio.Flush(device));
        Assert.All(registry.Devices, d => Assert.Single(d.Seen, b => b.Operation == BioOperation.Flush));
        registry["a"].Disconnect();
        Assert.Equal(BioStatus.Ok, TestBio.Flush(device)); // it held nothing
        registry["a"].Connect();
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Write, 0, 1));
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Write, 0, 1));
        registry["a"].Disconnect();
        Assert.Equal(BioStatus.IoError, TestBio.Flush(device));
        Assert.Equal(BioStatus.Ok, TestBio.Flush(device));
        Assert.Contains(registry.Log.Lines, l => l.Contains("writes may be lost with the cache of server a"));
    }

    [Fact]
    public void A_write_that_is_durable_when_it_ends_is_not_lost_with_a_cache()
    {
        using TestRegistry registry = PrivateCaches();
        MappedDevice device = registry.Create("m", Queueing);
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Write, 0, 1, BioFlags.Fua));
        registry["a"].Disconnect();
        registry["b"].Disconnect();
        registry["b"].Connect();
        Assert.Equal(BioStatus.Ok, TestBio.Flush(device));
    }

    [Fact]
    public void With_shared_cache_one_flush_is_enough()
    {
        using TestRegistry registry = PrivateCaches();
        MappedDevice device = registry.Create("m", "0 1000 multipath 2 queue_if_no_path shared_cache 0 1 1 round-robin 0 2 1 a 1 b 1");
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Write, 0, 1));
        registry["a"].Disconnect();
        Assert.Equal(BioStatus.Ok, TestBio.Flush(device));
        Assert.Equal(1, registry.Devices.Sum(d => d.Seen.Count(b => b.Operation == BioOperation.Flush)));
    }

    [Fact]
    public void It_shows_why_a_path_failed_and_since_when()
    {
        using TestRegistry registry = WatchedPaths();
        MappedDevice device = registry.Create("m", Queueing);
        registry["a"].Disconnect();
        JsonElement path = PathOf(device, "a");
        Assert.Equal("failed", path.GetProperty("state").GetString());
        Assert.Equal("its backend lost the way to the device", path.GetProperty("reason").GetString());
        Assert.Equal(registry.Time.GetUtcNow(), path.GetProperty("since").GetDateTimeOffset());
    }

    private static void GiveUpWrite(TestRegistry registry, MappedDevice device, ulong sector, ulong count)
    {
        registry["a"].Holding = true;
        TestBio given = TestBio.Submit(device, BioOperation.Write, sector, count);
        registry["a"].Stop();
        registry["a"].EndAll();
        Assert.Equal(BioStatus.Ok, given.Wait());
    }

    private static TestRegistry WatchedPaths()
    {
        TestRegistry registry = new();
        FakeDevice disk = registry.Add(new FakeDevice("a", 1024) { IsWatched = true });
        registry.Add(new FakeDevice("b", disk) { IsWatched = true });
        return registry;
    }

    private static TestRegistry PrivateCaches()
    {
        TestRegistry registry = new();
        FakeDevice disk = registry.Add(new FakeDevice("a", 1024) { IsWatched = true, CacheDomain = "server a" });
        registry.Add(new FakeDevice("b", disk) { IsWatched = true, CacheDomain = "server b" });
        return registry;
    }

    private static void Kill(FakeDevice path) => path.OpenFailure = new DmException(Errno.ECONNREFUSED, $"'{path.Name}': nobody answers");

    /// <summary>Moves the clock, as long as what waits for it may be about to wait.</summary>
    private static void AdvanceUntil(TestRegistry registry, Func<bool> holds, string what) => Wait.Until(
        () =>
        {
            registry.Time.Advance(TimeSpan.FromMilliseconds(100));
            return holds();
        },
        what);

    private static string Status(MappedDevice device) => device.TableTexts(arguments: false)[0].Text;

    private static JsonElement PathOf(MappedDevice device, string name) =>
        JsonDocument.Parse(device.Message(default, "show_paths")!).RootElement.GetProperty("groups").EnumerateArray()
            .SelectMany(g => g.GetProperty("paths").EnumerateArray())
            .Single(p => p.GetProperty("path").GetString() == name);

    private static string ReasonOf(MappedDevice device, string name) => PathOf(device, name).GetProperty("reason").GetString()!;
}
