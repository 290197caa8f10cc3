using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Targets;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Mapping;

/// <summary>Suspend and resume, with and without noflush: what is in flight, what waits, and what becomes of it.</summary>
public sealed class SuspendTests : IDisposable
{
    private readonly TestRegistry _registry = new();
    private readonly FakeDevice _a;
    private readonly MappedDevice _m;

    public SuspendTests()
    {
        _a = _registry.Add("a");
        _m = _registry.Create("m", "0 1000 test s a 0");
    }

    private TestTargetScript Script => _registry.Script("s");

    public void Dispose() => _registry.Dispose();

    [Fact]
    public void A_suspend_waits_for_bios_in_flight_and_new_ones_wait_for_the_resume()
    {
        _a.Holding = true;
        TestBio inFlight = Read(0);
        Task suspend = Threads.Start(() => _m.Suspend());
        Wait.Until(() => _m.WaitReason is not null, "the suspend to begin");
        Assert.Equal("1 I/Os of m", _m.WaitReason);
        TestBio waits = Read(1);
        Assert.Equal((1, 1, false), (_m.InFlight, _m.Parked, suspend.IsCompleted));
        _a.EndAll();
        Wait.For(suspend, "the suspend");
        Assert.Equal((BioStatus.Ok, false), (inFlight.Wait(), waits.Ended));
        Assert.Equal((0, 1, true), (_m.InFlight, _m.Parked, _m.IsSuspended));
        Assert.Null(_m.WaitReason);
        _m.Resume();
        Assert.Equal(BioStatus.Ok, waits.Wait());
        Assert.Equal(["preresume", "resume", "presuspend", "postsuspend", "preresume", "resume"], Script.Calls);
    }

    [Fact]
    public void Bios_that_waited_go_on_in_order_through_whatever_table_is_live_then()
    {
        FakeDevice b = _registry.Add("b");
        _m.Suspend();
        TestBio[] bios = [.. Enumerable.Range(0, 50).Select(i => Read((ulong)i))];
        _m.LoadTable("0 1000 linear b 10");
        _m.Resume();
        Assert.All(bios, x => Assert.Equal(BioStatus.Ok, x.Wait()));
        Assert.Equal(Enumerable.Range(10, 50).Select(i => (ulong)i), b.Seen.Select(s => s.Sector));
        Assert.Empty(_a.Seen);
    }

    [Fact]
    public void Suspending_again_and_resuming_again_do_nothing()
    {
        _m.Suspend();
        _m.Suspend(SuspendOptions.NoFlush);
        _m.Resume();
        _m.Resume();
        Assert.Equal(["preresume", "resume", "presuspend", "postsuspend", "preresume", "resume"], Script.Calls);
    }

    [Fact]
    public void A_device_without_a_table_can_be_suspended_and_not_resumed()
    {
        MappedDevice n = _registry.Registry.Create("n");
        Assert.Equal(BioStatus.IoError, TestBio.Do(n, BioOperation.Read, 0, 1));
        n.Suspend();
        TestBio waits = TestBio.Submit(n, BioOperation.Read, 0, 1);
        Assert.Equal(Errno.EINVAL, Assert.Throws<DmException>(() => n.Resume()).Errno);
        TestRegistry.Swap(n, "0 10 zero");
        Assert.Equal(BioStatus.Ok, waits.Wait());
    }

    [Fact]
    public void A_bio_that_must_not_wait_ends_with_EAGAIN_and_one_that_reads_ahead_fails()
    {
        _m.Suspend();
        Assert.Equal(BioStatus.Again, TestBio.Do(_m, BioOperation.Read, 0, 1, BioFlags.NoWait));
        Assert.Equal(BioStatus.IoError, TestBio.Do(_m, BioOperation.Read, 0, 1, BioFlags.ReadAhead));
        Assert.Equal(BioStatus.Again, TestBio.Do(_m, BioOperation.Read, 0, 1, BioFlags.ReadAhead | BioFlags.NoWait));
        Assert.Equal(0, _m.Parked);
        _m.Resume();
    }

    [Fact]
    public void In_a_noflush_suspend_bios_that_are_handed_back_are_mapped_again_after_the_resume_before_those_that_came_later()
    {
        _a.Holding = true;
        TestBio[] handedBack = [.. Enumerable.Range(0, 5).Select(i => Read((ulong)i))];
        Script.OnStep = (_, step) =>
        {
            if (step == "presuspend")
            {
                _a.Answer = _ => BioStatus.Requeue;
                _a.EndAll();
                _a.Answer = null;
            }
        };
        _m.Suspend(SuspendOptions.NoFlush);
        TestBio[] later = [.. Enumerable.Range(5, 5).Select(i => Read((ulong)i))];
        Assert.Equal((0, 10), (_m.InFlight, _m.Parked));
        Assert.All(handedBack, b => Assert.False(b.Ended));
        _a.Forget();
        _m.Resume();
        Assert.All(handedBack.Concat(later), b => Assert.Equal(BioStatus.Ok, b.Wait()));
        Assert.Equal(Enumerable.Range(0, 10).Select(i => (ulong)i), _a.Seen.Select(s => s.Sector));
    }

    [Theory]
    [InlineData(MapResult.Requeue)]
    [InlineData(MapResult.Kill)]
    public void Handed_back_outside_of_a_noflush_suspend_a_bio_fails(MapResult result)
    {
        Script.Map = (_, _) => result;
        Assert.Equal(BioStatus.IoError, TestBio.Do(_m, BioOperation.Read, 0, 1));
        Assert.Equal(BioStatus.IoError, TestBio.Do(_m, BioOperation.Flush, 0, 0));
        Script.Map = null;
        _a.Answer = _ => BioStatus.Requeue;
        Assert.Equal(BioStatus.IoError, TestBio.Do(_m, BioOperation.Read, 0, 1));
        _a.Answer = null;
        Assert.Equal(BioStatus.Ok, TestBio.Do(_m, BioOperation.Read, 0, 1));
    }

    [Fact]
    public void A_bio_in_several_pieces_of_which_one_is_handed_back_is_mapped_again_as_a_whole()
    {
        FakeDevice b = _registry.Add("b");
        TestRegistry.Swap(_m, "0 10 linear a 0\n10 10 test s b 0");
        _a.Forget();
        b.Holding = true;
        TestBio bio = TestBio.Submit(_m, BioOperation.Write, 5, 10, new byte[5120]);
        Script.OnStep = (_, step) =>
        {
            if (step == "presuspend")
            {
                b.Answer = _ => BioStatus.Requeue;
                b.EndAll();
                b.Answer = null;
            }
        };
        _m.Suspend(SuspendOptions.NoFlush);
        Assert.False(bio.Ended);
        _m.Resume();
        Assert.Equal(BioStatus.Ok, bio.Wait());
        Assert.Equal((2, 2), (_a.Seen.Count, b.Seen.Count));
    }

    [Theory]
    [InlineData(SuspendOptions.None)]
    [InlineData(SuspendOptions.NoFlush)]
    public void A_suspend_whose_caller_goes_away_is_undone(SuspendOptions options)
    {
        _a.Holding = true;
        TestBio inFlight = Read(0);
        using CancellationTokenSource caller = new();
        Task suspend = Threads.Start(() => _m.Suspend(options, caller.Token));
        Wait.Until(() => _m.WaitReason is not null, "the suspend to begin");
        TestBio[] waiting = [.. Enumerable.Range(1, 9).Select(i => Read((ulong)i))];
        Assert.Equal(9, _m.Parked);
        caller.Cancel();
        DmException refusal = Assert.Throws<DmException>(() => Wait.For(suspend, "the suspend"));
        Assert.Equal((Errno.EINTR, "gave up waiting for I/Os of 'm'; it was not suspended"), (refusal.Errno, refusal.Message));
        Assert.Equal((false, 0), (_m.IsSuspended, _m.Parked));
        Assert.Equal(["preresume", "resume", "presuspend", "undo"], Script.Calls);
        Assert.Equal(Enumerable.Range(0, 10).Select(i => (ulong)i), _a.Seen.Select(s => s.Sector)); // in order, and they did not wait any longer
        _a.EndAll();
        Assert.All(waiting.Append(inFlight), b => Assert.Equal(BioStatus.Ok, b.Wait()));
    }

    [Fact]
    public void A_resume_whose_caller_goes_away_while_it_suspends_leaves_the_new_table_inactive()
    {
        _a.Holding = true;
        TestBio inFlight = Read(0);
        _m.LoadTable("0 500 linear a 0");
        using CancellationTokenSource caller = new();
        Task resume = Threads.Start(() => _m.Resume(cancellation: caller.Token));
        Wait.Until(() => _m.WaitReason is not null, "the suspend to begin");
        caller.Cancel();
        Assert.Equal(Errno.EINTR, Assert.Throws<DmException>(() => Wait.For(resume, "the resume")).Errno);
        Assert.Equal("0 500 linear a 0", TestRegistry.TableOf(_m, inactive: true));
        Assert.Equal(1000ul, _m.Size.Value);
        _a.EndAll();
        Assert.Equal(BioStatus.Ok, inFlight.Wait());
        _m.Resume();
        Assert.Equal(500ul, _m.Size.Value);
    }

    [Fact]
    public void A_table_loaded_while_a_resume_is_given_up_replaces_the_one_that_was_to_be_live()
    {
        _a.Holding = true;
        TestBio inFlight = Read(0);
        _m.LoadTable("0 500 test old a 0");
        using CancellationTokenSource caller = new();
        Task resume = Threads.Start(() => _m.Resume(cancellation: caller.Token));
        Wait.Until(() => _m.WaitReason is not null, "the suspend to begin");
        _m.LoadTable("0 700 linear a 0");
        caller.Cancel();
        Assert.Throws<DmException>(() => Wait.For(resume, "the resume"));
        Assert.Equal("0 700 linear a 0", TestRegistry.TableOf(_m, inactive: true));
        Assert.Equal(["dispose"], _registry.Script("old").Calls);
        _a.EndAll();
        inFlight.Wait();
    }

    [Fact]
    public void Who_waits_for_another_suspend_may_go_away()
    {
        _a.Holding = true;
        TestBio inFlight = Read(0);
        Task suspend = Threads.Start(() => _m.Suspend());
        Wait.Until(() => _m.WaitReason is not null, "the suspend to begin");
        Assert.Equal(Errno.EINTR, Assert.Throws<DmException>(() => _m.Suspend(cancellation: new CancellationToken(true))).Errno);
        Assert.Equal(Errno.EINTR, Assert.Throws<DmException>(() => _m.Resume(cancellation: new CancellationToken(true))).Errno);
        _a.EndAll();
        Wait.For(suspend, "the suspend");
        inFlight.Wait();
        _m.Resume();
    }

    [Fact]
    public void Removal_of_a_suspended_device_fails_the_bios_that_wait()
    {
        _m.Suspend();
        TestBio[] bios = [.. Enumerable.Range(0, 10).Select(i => Read((ulong)i))];
        _registry.Registry.Remove(_m);
        Assert.All(bios, b => Assert.Equal(BioStatus.IoError, b.Wait()));
        Assert.Equal(BioStatus.IoError, Read(0).Wait());
        Assert.Equal(BioStatus.IoError, TestBio.Do(_m, BioOperation.Read, 0, 1, BioFlags.NoWait));
        Assert.Equal(Errno.ENXIO, Assert.Throws<DmException>(() => _m.Suspend()).Errno);
        Assert.Equal(Errno.ENXIO, Assert.Throws<DmException>(() => _m.Resume()).Errno);
        Assert.Equal(Errno.ENXIO, Assert.Throws<DmException>(() => _m.LoadTable("0 1 zero")).Errno);
        Assert.Equal(Errno.ENXIO, Assert.Throws<DmException>(_m.ClearTable).Errno);
        Assert.Equal(Errno.ENXIO, Assert.Throws<DmException>(_m.Open).Errno);
    }

    /// <summary>A target may hand a bio to another thread, which ends it, and still use what it has until its map returns.</summary>
    [Fact]
    public void A_suspend_waits_for_maps_that_have_not_returned()
    {
        using ManualResetEventSlim ended = new(), go = new();
        bool returned = false;
        Script.Map = (_, bio) =>
        {
            Threads.Start(() => bio.End(BioStatus.Ok));
            ended.Wait();
            go.Wait();
            Volatile.Write(ref returned, true);
            return MapResult.Submitted;
        };
        Task<TestBio> user = Threads.Start(() => TestBio.Submit(_m, BioOperation.Read, 0, 1, default));
        Script.OnStep = (_, step) => Assert.True(step != "postsuspend" || Volatile.Read(ref returned));
        Wait.Until(() => _m.InFlight == 1, "the bio to end");
        ended.Set();
        Task suspend = Threads.Start(() => _m.Suspend());
        Wait.Until(() => _m.WaitReason is not null, "the suspend to begin");
        Assert.False(suspend.IsCompleted);
        go.Set();
        Wait.For(suspend, "the suspend");
        Assert.Equal(BioStatus.Ok, Wait.For(user, "the user").Wait());
        Assert.DoesNotContain(_registry.Log.Lines, l => l.Contains("bug"));
        Script.Map = null;
    }

    [Fact]
    public void A_status_that_takes_long_holds_up_neither_swap_nor_load_nor_I_O_but_its_tables_end()
    {
        using ManualResetEventSlim began = new(), go = new();
        Script.Status = () =>
        {
            began.Set();
            go.Wait();
            return "slow";
        };
        Task<IReadOnlyList<TargetText>> status = Threads.Start(() => _m.TableTexts(arguments: false));
        began.Wait();
        Task resume = Threads.Start(() => TestRegistry.Swap(_m, "0 500 linear a 0"));
        Wait.Until(() => _m.Size.Value == 500, "the swap");
        Assert.Equal(BioStatus.Ok, Read(0).Wait());
        _m.LoadTable("0 10 linear a 0");
        Assert.Equal("0 500 linear a 0", TestRegistry.TableOf(_m));
        Assert.False(resume.IsCompleted); // it is about to destroy the table that is being read
        Assert.DoesNotContain("dispose", Script.Calls);
        go.Set();
        Assert.Equal("slow", Wait.For(status, "the status").Single().Text);
        Wait.For(resume, "the resume");
        Assert.Equal("dispose", Script.Calls[^1]);
    }

    [Fact]
    public void Suspends_and_resumes_by_many_threads_under_I_O_lose_no_bio()
    {
        bool over = false;
        Task users = Threads.Start(3, user =>
        {
            while (!Volatile.Read(ref over))
            {
                Assert.Equal(BioStatus.Ok, Read((ulong)user).Wait());
            }
        });
        Threads.Run(3, thread =>
        {
            for (int i = 0; i < 300; i++)
            {
                if ((i + thread) % 2 == 0)
                {
                    _m.Suspend((SuspendOptions)(i % 2));
                }

                _m.Resume();
            }
        });
        _m.Resume();
        Volatile.Write(ref over, true);
        Wait.For(users, "the users");
        Assert.Equal((0, 0), (_m.InFlight, _m.Parked));
    }

    private TestBio Read(ulong sector) => TestBio.Submit(_m, BioOperation.Read, sector, 1);
}
