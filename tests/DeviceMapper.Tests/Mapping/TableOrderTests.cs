using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Mapping;

/// <summary>In which order tables are built, made live, and destroyed.</summary>
public sealed class TableOrderTests : IDisposable
{
    private readonly TestRegistry _registry = new();
    private readonly List<string> _order = [];
    private readonly FakeDevice _a;
    private readonly FakeDevice _b;

    public TableOrderTests()
    {
        _a = Watched("a");
        _b = Watched("b");
        foreach (string name in new[] { "old", "new", "other" })
        {
            _registry.Script(name).OnStep = (_, step) => _order.Add($"{step} {name}");
            _registry.Script(name).Constructed = (_, _) => _order.Add($"build {name}");
        }
    }

    public void Dispose() => _registry.Dispose();

    [Fact]
    public void A_load_builds_the_new_inactive_table_and_then_destroys_the_one_that_it_replaces()
    {
        MappedDevice m = _registry.Registry.Create("m");
        m.LoadTable("0 10 test old a 0");
        _order.Clear();
        m.LoadTable("0 10 test new b 0");
        Assert.Equal(["open b", "build new", "dispose old", "close a"], _order);
    }

    [Fact]
    public void A_swap_destroys_the_old_table_last_of_all()
    {
        MappedDevice m = _registry.Create("m", "0 10 test old a 0");
        m.LoadTable("0 10 test new b 0");
        _order.Clear();
        m.Resume();
        Assert.Equal(["presuspend old", "postsuspend old", "preresume new", "resume new", "dispose old", "close a"], _order);
    }

    [Fact]
    public void A_swap_that_is_refused_destroys_the_new_table_and_keeps_the_old_one_live_and_suspended()
    {
        MappedDevice m = _registry.Create("m", "0 10 test old a 0");
        Assert.Contains("the resume will be refused", m.LoadTable("0 10 test new b 1020").Single());
        _order.Clear();
        DmException refusal = Assert.Throws<DmException>(() => m.Resume());
        Assert.Equal(Errno.EINVAL, refusal.Errno);
        Assert.Equal("test: 'b' has 1024 sectors, too few for 10 from sector 1020", refusal.Message);
        Assert.Equal(["presuspend old", "postsuspend old", "dispose new", "close b"], _order);
        Assert.Equal((true, true, false), (m.Status().Suspended, m.Status().ActivePresent, m.Status().InactivePresent));
        Assert.Equal("0 10 test old a 0", TestRegistry.TableOf(m));
        m.Resume();
        Assert.Equal(["preresume old", "resume old"], _order[^2..]);
        Assert.Equal(BioStatus.Ok, TestBio.Do(m, BioOperation.Read, 0, 1));
    }

    [Fact]
    public void A_preresume_that_fails_leaves_the_new_table_live_and_suspended_and_destroys_the_old_one()
    {
        MappedDevice m = _registry.Create("m", "0 10 test old a 0");
        _registry.Script("new").OnStep = (_, step) =>
        {
            _order.Add($"{step} new");
            if (step == "preresume")
            {
                throw new DmException(Errno.ENOSPC, "new: no room for what it needs");
            }
        };
        m.LoadTable("0 10 test new b 0");
        _order.Clear();
        DmException refusal = Assert.Throws<DmException>(() => m.Resume());
        Assert.Equal((Errno.ENOSPC, "new: no room for what it needs"), (refusal.Errno, refusal.Message));
        Assert.Equal(["presuspend old", "postsuspend old", "preresume new", "dispose old", "close a"], _order);
        Assert.Contains("Error: m: preresume failed: new: no room for what it needs", _registry.Log.Lines);
        Assert.Equal((true, "0 10 test new b 0"), (m.Status().Suspended, TestRegistry.TableOf(m)));
        TestBio waits = TestBio.Submit(m, BioOperation.Read, 0, 1);
        Assert.False(waits.Ended);

        _registry.Script("new").OnStep = null;
        m.Resume();
        Assert.Equal(BioStatus.Ok, waits.Wait());
    }

    [Fact]
    public void A_preresume_with_a_bug_is_a_failure_too()
    {
        MappedDevice m = _registry.Create("m", "0 10 test old a 0");
        _registry.Script("new").OnStep = (_, step) => throw (step == "preresume" ? new InvalidOperationException("oops") : new DmException(Errno.EIO, "later"));
        m.LoadTable("0 10 test new b 0");
        Assert.Equal(Errno.EIO, Assert.Throws<DmException>(() => m.Resume()).Errno);
        Assert.True(m.Status().Suspended);
        Assert.Contains("Error: m: test: a bug of the target (oops)", _registry.Log.Lines);
        TestRegistry.Swap(m, "0 10 test old a 0");
    }

    [Theory]
    [InlineData("presuspend")]
    [InlineData("postsuspend")]
    [InlineData("resume")]
    [InlineData("dispose")]
    public void A_target_with_a_bug_in_another_step_keeps_nothing_from_going_on(string bad)
    {
        MappedDevice m = _registry.Create("m", "0 10 test old a 0\n10 10 test other a 0");
        _registry.Script("old").OnStep = (_, step) =>
        {
            _order.Add($"{step} old");
            if (step == bad)
            {
                throw new InvalidOperationException("oops");
            }
        };
        _order.Clear();
        m.Suspend();
        m.Resume();
        Assert.Equal(BioStatus.Ok, TestBio.Do(m, BioOperation.Read, 0, 20));
        _registry.Registry.Remove(m);
        foreach (string step in new[] { "presuspend", "postsuspend", "preresume", "resume", "dispose" })
        {
            Assert.Contains($"{step} old", _order);
            Assert.Contains($"{step} other", _order);
        }

        Assert.Contains("Error: m: test: a bug of the target (oops)", _registry.Log.Lines);
        _registry.AssertNothingLeft();
    }

    [Fact]
    public void A_close_that_fails_is_logged_and_keeps_no_other_from_being_closed()
    {
        MappedDevice m = _registry.Create("m", "0 10 test old a 0\n10 10 test old b 0");
        _a.WhenClosing = () => throw new IOException("the disk is full");
        TestRegistry.Swap(m, "0 10 zero");
        Assert.Contains("Error: m: a: closing it failed (the disk is full)", _registry.Log.Lines);
        Assert.Equal(0, _b.OpenNow);
        Assert.Equal(0, _registry.Registry.Claims.Count);
        _a.WhenClosing = null;
        TestRegistry.Swap(m, "0 10 linear a 0"); // it was forgotten, so it is opened anew
        _registry.Registry.Remove(m);
    }

    [Fact]
    public void What_finding_devices_made_is_taken_back_when_the_table_is_refused_and_only_then()
    {
        MappedDevice m = _registry.Registry.Create("m");
        Assert.Throws<DmException>(() => m.LoadTable("0 10 linear a 0\n10 10 linear nothing 0"));
        Assert.Equal(1, _a.Abandoned);
        Assert.Throws<DmException>(() => m.LoadTable("0 10 linear a 1020")); // the first table's size is checked after it was built
        Assert.Equal(2, _a.Abandoned);
        m.LoadTable("0 10 linear a 0");
        m.ClearTable();
        Assert.Equal(2, _a.Abandoned);
    }

    private FakeDevice Watched(string name)
    {
        FakeDevice device = _registry.Add(name);
        device.WhenOpening = () => _order.Add($"open {name}");
        device.WhenClosing = () => _order.Add($"close {name}");
        return device;
    }
}
