using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Mapping;

/// <summary>The seed: the tables of one mapped device share their table devices. A test for each of its sentences.</summary>
public sealed class TableDevicesTests : IDisposable
{
    private const DeviceMode Ro = DeviceMode.ReadOnly;
    private const DeviceMode Rw = DeviceMode.ReadWrite;

    private readonly TestRegistry _registry = new();
    private readonly FakeDevice _a;
    private readonly FakeDevice _b;

    public TableDevicesTests()
    {
        _a = _registry.Add("a");
        _b = _registry.Add("b");
    }

    public void Dispose() => _registry.Dispose();

    [Fact]
    public void A_load_opens_only_what_is_new_and_a_swap_closes_only_what_nobody_uses_any_more()
    {
        MappedDevice m = _registry.Create("m", "0 10 linear a 0");
        m.LoadTable("0 10 linear a 0\n10 10 linear b 0");
        Assert.Equal((1, 1), (_a.TotalOpens, _b.TotalOpens));
        m.Resume();
        Assert.Equal((1, 1), (_a.OpenNow, _b.OpenNow));
        m.LoadTable("0 10 linear b 5");
        Assert.Equal((1, 1), (_a.OpenNow, _b.OpenNow));
        m.Resume();
        Assert.Equal((0, 1), (_a.OpenNow, _b.OpenNow));
        Assert.Equal((1, 1), (_a.TotalOpens, _b.TotalOpens));
        Assert.Equal(0, _a.Claims);
    }

    [Fact]
    public void The_same_device_under_another_name_is_the_same_table_device()
    {
        _registry.Add("alias").SameAs = "a";
        MappedDevice m = _registry.Create("m", "0 10 linear a 0\n10 10 linear alias 10");
        Assert.Equal(1, _a.TotalOpens);
        Assert.Equal(0, _registry["alias"].TotalOpens);
        Assert.Equal("0 10 linear a 0\n10 10 linear a 10", TestRegistry.TableOf(m)); // as the first mention names it
        Assert.Single(m.Dependencies());
    }

    [Fact]
    public void Another_mode_is_another_table_device_and_shares_the_claim()
    {
        MappedDevice m = _registry.Create("m", "0 10 linear a 0");
        m.LoadTable("0 10 linear a 0", Ro);
        Assert.Equal((1, 1), (_a.OpenIn(Ro), _a.OpenIn(Rw)));
        Assert.Equal((1, 1), (_a.Claims, _a.TotalClaims));
        Assert.Equal([(Ro, 1), (Rw, 1)], References(m));
        m.ClearTable();
        Assert.Equal((0, 1), (_a.OpenIn(Ro), _a.OpenIn(Rw)));
        Assert.Equal(1, _a.Claims);
    }

    [Fact]
    public void The_mode_of_a_device_of_the_active_table_is_not_changed_by_an_inactive_one()
    {
        MappedDevice m = _registry.Create("m", "0 10 linear a 0", Ro);
        m.LoadTable("0 10 linear a 0", Rw);
        Assert.Equal(Ro, m.Dependencies().Single().Mode);
        Assert.Equal(Rw, m.Dependencies(inactive: true).Single().Mode);
        Assert.True(m.IsReadOnly);
        Assert.Equal(BioStatus.ReadOnly, TestBio.Write(m, 0, new byte[512]));
        m.Resume();
        Assert.Equal((0, 1), (_a.OpenIn(Ro), _a.OpenIn(Rw)));
        Assert.Equal(BioStatus.Ok, TestBio.Write(m, 0, new byte[512]));
    }

    [Fact]
    public void A_table_refers_to_each_table_device_once_and_counts_its_users()
    {
        MappedDevice m = _registry.Create("m", "0 10 linear a 0\n10 10 linear a 10\n20 20 striped 2 10 a 20 a 30");
        Assert.Equal([(Rw, 1)], References(m));
        m.LoadTable("0 10 linear a 0");
        Assert.Equal([(Rw, 2)], References(m));
        int users = 0;
        _registry.Script("s").Constructed = (target, _) => users = target.Devices[0].Users;
        m.LoadTable("0 10 linear a 0\n10 10 linear a 10\n20 10 test s a 0");
        Assert.Equal(3, users);
        Assert.Equal([(Rw, 2)], References(m));
        m.ClearTable();
        Assert.Equal([(Rw, 1)], References(m));
    }

    [Fact]
    public void Mapped_devices_share_the_claim_and_not_the_open()
    {
        MappedDevice m = _registry.Create("m", "0 10 linear a 0");
        MappedDevice n = _registry.Create("n", "0 10 linear a 10", Ro);
        Assert.Equal((2, 1), (_a.OpenNow, _a.TotalClaims));
        Assert.Equal([m, n], _registry.Registry.Holders.Of(_a.Spec(null).Identity));
        _registry.Registry.Remove(m);
        Assert.Equal((1, 1), (_a.OpenNow, _a.Claims));
        Assert.Equal([n], _registry.Registry.Holders.Of(_a.Spec(null).Identity));
        _registry.Registry.Remove(n);
        Assert.Equal((0, 0), (_a.OpenNow, _a.Claims));
    }

    [Fact]
    public void A_device_without_a_number_has_one_of_ours_as_long_as_it_is_open()
    {
        MappedDevice m = _registry.Create("m", "0 10 linear a 0");
        DeviceNumber number = m.Dependencies().Single().Number;
        MappedDevice n = _registry.Create("n", "0 10 linear b 0\n10 10 linear a 0");
        Assert.Equal([number, number with { Minor = number.Minor + 1 }], n.Dependencies().Select(d => d.Number));
        Assert.NotEqual(_registry.Registry.Major, number.Major);
        _registry.Registry.Remove(m);
        _registry.Registry.Remove(n);
        Assert.Equal(number, _registry.Create("o", "0 10 linear b 0").Dependencies().Single().Number); // the lowest free one
    }

    [Fact]
    public void A_device_with_a_number_keeps_it()
    {
        _a.Number = new DeviceNumber(8, 3);
        Assert.Equal(new DeviceNumber(8, 3), _registry.Create("m", "0 10 linear a 0").Dependencies().Single().Number);
    }

    [Fact]
    public void Within_a_table_a_narrower_wish_uses_the_wider_table_device()
    {
        _registry.Create("m", "0 10 test s a w0\n10 10 test s a r10");
        Assert.Equal((0, 1), (_a.OpenedIn(Ro), _a.OpenedIn(Rw)));
    }

    [Fact]
    public void Within_a_table_a_wider_wish_moves_every_user_to_the_wider_table_device()
    {
        MappedDevice m = _registry.Create("m", "0 10 test s a r0\n10 10 test s a r10\n20 10 test s a w20");
        Assert.Equal((0, 1), (_a.OpenIn(Ro), _a.OpenIn(Rw)));
        Assert.Equal(1, _a.OpenedIn(Ro));
        Assert.Equal([(Rw, 1)], References(m));
        foreach (ulong sector in new ulong[] { 0, 10, 20 })
        {
            Assert.Equal(BioStatus.Ok, TestBio.Write(m, sector, new byte[512])); // a bio to the closed one, or to a reader, would be noticed
        }
    }

    [Fact]
    public void A_widening_that_fails_leaves_all_as_it_was()
    {
        MappedDevice m = _registry.Create("m", "0 10 test s a r0", Ro);
        DeviceReference? seen = null;
        _registry.Script("t").Constructed = (target, arguments) =>
        {
            seen = target.Devices[0];
            _a.OpenFailureIn = (Rw, new DmException(Errno.EROFS, "'a' cannot be written"));
            Assert.Equal(Errno.EROFS, Assert.Throws<DmException>(() => arguments.Table.GetDevice("a", Rw, default)).Errno);
            Assert.Equal((Ro, 1), (seen.Mode, seen.Users));
        };
        m.LoadTable("0 10 test t a r0", Ro);
        Assert.Equal([(Ro, 2)], References(m));
        Assert.Equal((1, 0), (_a.OpenIn(Ro), _a.OpenIn(Rw)));
    }

    [Fact]
    public void A_widening_shares_the_wider_table_device_of_the_other_table()
    {
        MappedDevice m = _registry.Create("m", "0 10 test s a w0");
        m.LoadTable("0 10 test s a r0\n10 10 test s a w0");
        Assert.Equal((1, 1), (_a.OpenedIn(Ro), _a.OpenedIn(Rw)));
        Assert.Equal([(Rw, 2)], References(m));
    }

    [Fact]
    public void A_dead_device_that_the_mapped_device_holds_may_be_named_by_a_new_table()
    {
        MappedDevice m = _registry.Create("m", "0 10 linear a 0");
        _a.OpenFailure = new DmException(Errno.ENXIO, "'a': nobody is there");
        _a.Answer = _ => BioStatus.Transport;
        TestRegistry.Swap(m, "0 10 linear a 0\n10 10 linear b 0");
        Assert.Equal(BioStatus.Transport, TestBio.Do(m, BioOperation.Read, 0, 1));
        _a.Answer = null; // it is back
        Assert.Equal(BioStatus.Ok, TestBio.Do(m, BioOperation.Read, 0, 1));
        Assert.Throws<DmException>(() => _registry.Create("n", "0 10 linear a 0")); // nobody else gets it
    }

    [Fact]
    public void Options_that_a_shared_device_cannot_take_are_warned_of()
    {
        MappedDevice m = _registry.Create("m", "0 10 linear a?cache 0");
        Assert.Equal(["'a' is open already, without 'direct'"], m.LoadTable("0 10 linear a?direct 0"));
        Assert.Equal(["'b' is open already, without 'cache'"], m.LoadTable("0 10 linear b 0\n10 10 linear b?cache 10"));
        Assert.Contains("Warning: m: 'b' is open already, without 'cache'", _registry.Log.Lines);
    }

    [Fact]
    public void What_is_left_when_the_mapped_device_goes_is_logged_with_its_count_and_closed()
    {
        MappedDevice m = _registry.Registry.Create("m");
        m.TableDevices.Get(_a.Spec(null), Rw, default);
        m.TableDevices.Get(_a.Spec(null), Rw, default);
        m.TableDevices.Get(_b.Spec(null), Ro, default);
        Assert.Equal((1, 1), (_a.OpenNow, _b.OpenNow));
        _registry.Registry.Remove(m);
        Assert.Equal((0, 0), (_a.OpenNow, _b.OpenNow));
        Assert.Equal(
            [
                "Error: m: table device a (ReadWrite) was left with 2 references; closed",
                "Error: m: table device b (ReadOnly) was left with 1 references; closed",
            ],
            _registry.Log.Lines.Order());
        _registry.Log.Clear();
    }

    private static IEnumerable<(DeviceMode Mode, int References)> References(MappedDevice device) =>
        device.TableDevices.Snapshot().Select(d => (d.Device.Mode, d.References)).Order();
}
