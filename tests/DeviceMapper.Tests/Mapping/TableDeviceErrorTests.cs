using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Mapping;

/// <summary>A claim, an open or memory that fails: nothing is left behind, and errno and sentence come back.</summary>
public sealed class TableDeviceErrorTests : IDisposable
{
    private readonly TestRegistry _registry = new();
    private readonly FakeDevice _a;
    private readonly FakeDevice _b;
    private readonly MappedDevice _m;

    public TableDeviceErrorTests()
    {
        _a = _registry.Add("a");
        _b = _registry.Add("b");
        _m = _registry.Registry.Create("m");
    }

    public void Dispose() => _registry.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_claim_that_fails(bool mayHang)
    {
        _a.MayHang = mayHang;
        _a.ClaimFailure = new DmException(Errno.EBUSY, "'a' is claimed by mount (pid 7)");
        AssertRefused(Errno.EBUSY, "linear: argument 1 (device): 'a' is claimed by mount (pid 7)", "0 10 linear a 0");
        Assert.Equal(0, _a.TotalOpens);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_open_that_fails(bool mayHang)
    {
        _a.MayHang = mayHang;
        _a.OpenFailure = new DmException(Errno.EACCES, "'a' is not for you");
        AssertRefused(Errno.EACCES, "linear: argument 1 (device): 'a' is not for you", "0 10 linear a 0");
        Assert.Equal(1, _a.TotalClaims);
    }

    [Fact]
    public void The_second_device_of_a_table_that_fails()
    {
        _b.OpenFailure = new DmException(Errno.ENXIO, "'b': nobody is there");
        AssertRefused(Errno.ENXIO, "line 2: linear: argument 1 (device): 'b': nobody is there", "0 10 linear a 0\n10 10 linear b 0");
        AssertRefused(Errno.ENXIO, "striped: argument 5 (device): 'b': nobody is there", "0 20 striped 2 10 a 0 b 0");
        Assert.Equal(2, _a.TotalOpens);
    }

    [Fact]
    public void An_unknown_device()
    {
        AssertRefused(Errno.ENOENT, "line 2: linear: argument 1 (device): 'c' is not there", "0 10 linear a 0\n10 10 linear c 0");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Memory_that_fails_while_claiming(bool mayHang)
    {
        _a.MayHang = mayHang;
        _a.ClaimFailure = new OutOfMemoryException();
        AssertRefused(Errno.ENOMEM, "linear: argument 1 (device): 'a': no memory is left to open it", "0 10 linear a 0");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Memory_that_fails_while_opening(bool mayHang)
    {
        _b.MayHang = mayHang;
        _b.OpenFailure = new OutOfMemoryException();
        AssertRefused(Errno.ENOMEM, "line 2: linear: argument 1 (device): 'b': no memory is left to open it", "0 10 linear a 0\n10 10 linear b 0");
    }

    [Fact]
    public void Memory_that_fails_in_a_target()
    {
        _registry.Script("s").Constructed = (_, _) => throw new OutOfMemoryException();
        AssertRefused(Errno.ENOMEM, "no memory is left to build the table", "0 10 linear a 0\n10 10 test s b 0");
        Assert.Equal(1, _b.TotalOpens);
    }

    [Fact]
    public void A_target_that_refuses_after_it_got_its_devices()
    {
        _registry.Script("s").Constructed = (_, arguments) => throw arguments.Refuse("it does not like this");
        AssertRefused(Errno.EINVAL, "line 2: test: it does not like this", "0 10 linear a 0\n10 10 test s b 0");
        Assert.Equal(1, _b.TotalOpens);
    }

    [Fact]
    public void A_target_whose_constructor_has_a_bug()
    {
        _registry.Script("s").Constructed = (_, _) => throw new InvalidOperationException("oops");
        Assert.Throws<InvalidOperationException>(() => _m.LoadTable("0 10 linear a 0\n10 10 test s b 0"));
        _registry.AssertNothingLeft();
    }

    [Fact]
    public void Numbers_that_have_run_out_leave_no_claim()
    {
        using TestRegistry registry = new();
        registry.Add("a");
        MinorNumbers none = new();
        Claims claims = new(none, 7);
        for (uint minor = 0; minor <= DeviceNumber.MaxMinor; minor++)
        {
            none.Take();
        }

        Assert.Equal(Errno.EBUSY, Assert.Throws<DmException>(() => claims.Take(registry["a"].Spec(null), default)).Errno);
        Assert.Equal((0, 0, 1), (claims.Count, registry["a"].Claims, registry["a"].TotalClaims));
    }

    [Fact]
    public void A_load_that_fails_changes_neither_table()
    {
        _m.LoadTable("0 10 linear a 0");
        _m.Resume();
        _m.LoadTable("0 20 linear a 0");
        foreach (string bad in new[] { "0 10 linear b", "0 10 linear c 0", "0 10 linear b 0\n11 5 linear a 0" })
        {
            Assert.Throws<DmException>(() => _m.LoadTable(bad));
            Assert.Equal("0 10 linear a 0", TestRegistry.TableOf(_m));
            Assert.Equal("0 20 linear a 0", TestRegistry.TableOf(_m, inactive: true));
            Assert.Equal((1, 0), (_a.TotalOpens, _b.OpenNow));
        }
    }

    private void AssertRefused(Errno errno, string sentence, string table)
    {
        DmException refusal = Assert.Throws<DmException>(() => _m.LoadTable(table));
        Assert.Equal((errno, sentence), (refusal.Errno, refusal.Message));
        Assert.False(_m.Status().InactivePresent);
        Assert.Empty(_m.TableDevices.Snapshot());
        _registry.AssertNothingLeft();
    }
}
