using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Mapping;

/// <summary>No table leads back to its own device.</summary>
public sealed class TopologyTests : IDisposable
{
    private readonly TestRegistry _registry = new();
    private readonly MappedDevice _a;
    private readonly MappedDevice _b;
    private readonly MappedDevice _c;

    public TopologyTests()
    {
        _a = _registry.Create("a", "0 100 zero");
        _b = _registry.Create("b", "0 100 linear /dev/mapper/a 0");
        _c = _registry.Create("c", "0 100 linear /dev/mapper/b 0");
    }

    public void Dispose()
    {
        // A cycle of inactive tables keeps its devices open.
        foreach (MappedDevice device in _registry.Registry.Devices)
        {
            device.ClearTable();
        }

        _registry.Dispose();
    }

    [Fact]
    public void A_cycle_loads_with_a_warning_and_its_resume_is_refused_before_anything_is_suspended()
    {
        Assert.Equal(["the table of 'a' leads back to itself (a → c → b → a); the resume will be refused"], _a.LoadTable("0 100 linear /dev/mapper/c 0"));
        DmException refusal = Assert.Throws<DmException>(() => _a.Resume());
        Assert.Equal((Errno.EINVAL, "the table of 'a' leads back to itself (a → c → b → a); the live table goes on"), (refusal.Errno, refusal.Message));
        Assert.Equal((false, true), (_a.IsSuspended, _a.Status().InactivePresent));
        Assert.Equal(BioStatus.Ok, TestBio.Do(_c, BioOperation.Read, 0, 1));
        TestRegistry.Swap(_b, "0 100 zero"); // now it leads elsewhere
        _a.Resume();
        Assert.Equal(BioStatus.Ok, TestBio.Do(_a, BioOperation.Read, 0, 1));
    }

    [Fact]
    public void A_diamond_is_no_cycle()
    {
        MappedDevice d = _registry.Create("d", "0 50 linear /dev/mapper/b 0\n50 50 linear /dev/mapper/c 0\n100 50 linear /dev/mapper/a 0");
        Assert.Equal(BioStatus.Ok, TestBio.Do(d, BioOperation.Read, 40, 80));
    }

    [Fact]
    public void Of_two_resumes_at_once_that_would_close_a_cycle_together_one_is_refused()
    {
        for (int round = 0; round < 200; round++)
        {
            MappedDevice x = _registry.Create("x", "0 100 zero");
            MappedDevice y = _registry.Create("y", "0 100 zero");
            x.LoadTable("0 100 linear /dev/mapper/y 0");
            y.LoadTable("0 100 linear /dev/mapper/x 0");
            using Barrier barrier = new(2);
            int refused = 0;
            Threads.Run(2, i =>
            {
                barrier.SignalAndWait();
                try
                {
                    (i == 0 ? x : y).Resume();
                }
                catch (DmException e)
                {
                    Assert.Equal(Errno.EINVAL, e.Errno);
                    Interlocked.Increment(ref refused);
                }
            });
            Assert.Equal(1, refused);
            Assert.Equal(BioStatus.Ok, TestBio.Do(x, BioOperation.Read, 0, 1));
            Assert.Equal(BioStatus.Ok, TestBio.Do(y, BioOperation.Read, 0, 1));
            x.ClearTable();
            y.ClearTable();
            TestRegistry.Swap(x, "0 100 zero");
            TestRegistry.Swap(y, "0 100 zero");
            _registry.Registry.Remove(x);
            _registry.Registry.Remove(y);
        }
    }
}
