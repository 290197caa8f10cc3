using System.Diagnostics;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Mapping;

/// <summary>Names, uuids, numbers, open counts, removal, events.</summary>
public sealed class DeviceRegistryTests : IDisposable
{
    private readonly TestRegistry _test = new();
    private readonly FakeDevice _a;

    public DeviceRegistryTests() => _a = _test.Add("a");

    private DeviceRegistry Registry => _test.Registry;

    public void Dispose() => _test.Dispose();

    [Fact]
    public void A_device_is_found_by_name_uuid_and_number()
    {
        MappedDevice m = Registry.Create("m", uuid: "U-1");
        Assert.Same(m, Registry.FindByName("m"));
        Assert.Same(m, Registry.FindByUuid("U-1"));
        Assert.Same(m, Registry.FindByNumber(m.Number));
        Assert.Null(Registry.FindByName("M"));
        Assert.Null(Registry.FindByUuid(""));
        Assert.Null(Registry.FindByNumber(m.Number with { Major = 1 }));
        Registry.Remove(m);
        Assert.Null(Registry.FindByName("m"));
        Assert.Null(Registry.FindByUuid("U-1"));
        Assert.Null(Registry.FindByNumber(m.Number));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("control")]
    public void Names_that_cannot_be_files_are_refused(string name)
    {
        Assert.Equal(Errno.EINVAL, Assert.Throws<DmException>(() => Registry.Create(name)).Errno);
        MappedDevice m = Registry.Create("m");
        Assert.Equal(Errno.EINVAL, Assert.Throws<DmException>(() => Registry.Rename(m, name)).Errno);
        Assert.Equal("m", m.Name);
    }

    [Fact]
    public void Names_and_uuids_are_limited_in_bytes()
    {
        MappedDevice m = Registry.Create(new string('ä', 63));
        Assert.Equal(Errno.EINVAL, Assert.Throws<DmException>(() => Registry.Create(new string('ä', 64))).Errno);
        Assert.Equal(Errno.EINVAL, Assert.Throws<DmException>(() => Registry.SetUuid(m, new string('u', 129))).Errno);
        Assert.Equal(Errno.EINVAL, Assert.Throws<DmException>(() => Registry.SetUuid(m, "")).Errno);
        Registry.SetUuid(m, new string('u', 128));
    }

    [Fact]
    public void What_is_taken_is_refused_and_takes_nothing()
    {
        MappedDevice m = Registry.Create("m", minor: 5, uuid: "u");
        Assert.Equal(Errno.EBUSY, Assert.Throws<DmException>(() => Registry.Create("m")).Errno);
        Assert.Equal(Errno.EBUSY, Assert.Throws<DmException>(() => Registry.Create("n", uuid: "u")).Errno);
        Assert.Equal(Errno.ENXIO, Assert.Throws<DmException>(() => Registry.Create("n", minor: 5)).Errno);
        Assert.Equal(Errno.ENXIO, Assert.Throws<DmException>(() => Registry.Create("n", minor: 1 << 20)).Errno);
        MappedDevice n = Registry.Create("n", uuid: "v");
        Assert.Equal(0u, n.Number.Minor);
        Assert.Equal(Errno.EBUSY, Assert.Throws<DmException>(() => Registry.Rename(n, "m")).Errno);
        Assert.Equal(Errno.EBUSY, Assert.Throws<DmException>(() => Registry.Rename(n, "n")).Errno);
        Assert.Equal(Errno.EBUSY, Assert.Throws<DmException>(() => Registry.SetUuid(n, "u")).Errno);
        Assert.Equal(Errno.EINVAL, Assert.Throws<DmException>(() => Registry.SetUuid(n, "w")).Errno);
        Assert.Equal(["m", "n"], Registry.Devices.Select(d => d.Name));
        Registry.Rename(m, "o");
        Assert.Equal((m, null), (Registry.FindByName("o"), Registry.FindByName("m")));
    }

    [Fact]
    public void A_device_with_a_table_is_made_as_a_whole_or_not_at_all()
    {
        Assert.Throws<DmException>(() => Registry.Create("m", "0 10 linear a"));
        Assert.Throws<DmException>(() => Registry.Create("m", "0 10 linear a 1020"));
        _test.Script("s").OnStep = (_, step) =>
        {
            if (step == "preresume")
            {
                throw new DmException(Errno.EIO, "it cannot be resumed");
            }
        };
        Assert.Throws<DmException>(() => Registry.Create("m", "0 10 test s a 0"));
        Assert.Empty(Registry.Devices);
        _test.AssertNothingLeft();
    }

    [Fact]
    public void A_device_that_is_open_is_not_removed_and_the_refusal_says_by_whom()
    {
        MappedDevice m = Registry.Create("m", "0 100 linear a 0");
        MappedDevice top = Registry.Create("top", "0 10 linear /dev/mapper/m 0");
        DmException refusal = Assert.Throws<DmException>(() => Registry.Remove(m));
        Assert.Equal((Errno.EBUSY, "'m' is used by 'top'"), (refusal.Errno, refusal.Message));
        m.Open();
        Assert.Equal("'m' is used by 'top' and one open file handle", Assert.Throws<DmException>(() => Registry.Remove(m)).Message);
        Registry.Remove(top);
        m.Open();
        Assert.Equal("'m' is in use by 2 open file handles", Assert.Throws<DmException>(() => Registry.Remove(m)).Message);
        m.Close();
        m.Close();
        Assert.True(Registry.Remove(m));
        Assert.Equal(Errno.ENXIO, Assert.Throws<DmException>(() => Registry.Remove(m)).Errno);
        Assert.Equal(Errno.ENXIO, Assert.Throws<DmException>(() => Registry.Rename(m, "n")).Errno);
        Assert.Equal(Errno.ENXIO, Assert.Throws<DmException>(() => Registry.SetUuid(m, "n")).Errno);
    }

    [Fact]
    public void Deferred_removal_happens_on_the_last_close()
    {
        MappedDevice m = Registry.Create("m", "0 100 linear a 0");
        m.Open();
        m.Open();
        Assert.False(Registry.Remove(m, deferred: true));
        Assert.True(m.Status().DeferredRemove);
        m.Close();
        Assert.Same(m, Registry.FindByName("m"));
        m.Close();
        Assert.Null(Registry.FindByName("m"));
        Assert.Equal(0, _a.OpenNow);
        Assert.Contains("Information: m: removed on its last close", _test.Log.Lines);
    }

    [Fact]
    public void Deferred_removal_can_be_cancelled_and_goes_down_a_stack()
    {
        MappedDevice m = Registry.Create("m", "0 100 linear a 0");
        MappedDevice top = Registry.Create("top", "0 10 linear /dev/mapper/m 0");
        Assert.False(Registry.Remove(m, deferred: true));
        m.Message(default, "@cancel_deferred_remove");
        Assert.False(m.Status().DeferredRemove);
        top.Open();
        Assert.False(Registry.Remove(m, deferred: true));
        Assert.False(Registry.Remove(top, deferred: true));
        top.Close();
        Assert.Empty(Registry.Devices);
        Assert.True(Registry.Remove(Registry.Create("n"), deferred: true)); // at once, where nobody has it open
    }

    [Fact]
    public void A_deferred_removal_by_a_close_within_the_end_of_a_bio_happens_too()
    {
        MappedDevice m = Registry.Create("m", "0 100 zero");
        m.Open();
        Registry.Remove(m, deferred: true);
        Closing closing = new(m);
        Bio bio = Bio.Rent();
        bio.Device = m;
        bio.Operation = BioOperation.Discard;
        bio.Sector = default;
        bio.Count = new SectorCount(8);
        bio.Submit(closing);
        Wait.Until(() => Registry.Devices.Count == 0, "the removal");
    }

    [Fact]
    public void Remove_all_removes_stacks_and_leaves_what_is_open()
    {
        for (int i = 0; i < 20; i++)
        {
            Registry.Create($"m{i}", i == 0 ? "0 100 linear a 0" : $"0 100 linear /dev/mapper/m{i - 1} 0");
        }

        MappedDevice open = Registry.FindByName("m7")!;
        open.Open();
        Assert.Equal(8, Registry.RemoveAll());
        Assert.Equal(8, Registry.RemoveAll(deferred: true));
        open.Close();
        Assert.Empty(Registry.Devices);
    }

    [Fact]
    public void Events_are_counted_and_waited_for()
    {
        MappedDevice m = Registry.Create("m");
        uint all = Registry.EventNumber;
        Registry.Rename(m, "n");
        Assert.Equal(0u, m.EventNumber); // without a table
        Assert.NotEqual(all, Registry.EventNumber);
        TestRegistry.Swap(m, "0 10 linear a 0");
        Assert.Equal(0u, m.EventNumber);
        Registry.Rename(m, "m");
        Registry.SetUuid(m, "u");
        Assert.Equal(2u, m.EventNumber);
        m.WaitForEvent(1, default);

        Task[] waits = [.. Enumerable.Range(0, 3).Select(_ => Threads.Start(() => m.WaitForEvent(2, default)))];
        Task wait = Threads.Start(() => Registry.WaitForEvent(Registry.EventNumber, default));
        using CancellationTokenSource caller = new();
        Task cancelled = Threads.Start(() => m.WaitForEvent(2, caller.Token));
        caller.Cancel();
        Assert.Equal(Errno.EINTR, Assert.Throws<DmException>(() => Wait.For(cancelled, "the cancelled wait")).Errno);
        Registry.Remove(m);
        Array.ForEach(waits, w => Wait.For(w, "a wait"));
        Registry.Create("o"); // one more, in case that the wait began after the removal
        Wait.For(wait, "the wait for any event");
    }

    [Fact]
    public void Ten_thousand_devices_are_made_listed_found_and_removed()
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < 10_000; i++)
        {
            Registry.Create($"m{i}", "0 10 zero", uuid: $"u{i}");
        }

        for (int i = 0; i < 10_000; i += 7)
        {
            Assert.Equal((uint)i, Registry.FindByName($"m{i}")!.Number.Minor);
            Assert.Equal($"m{i}", Registry.FindByUuid($"u{i}")!.Name);
        }

        Assert.Equal(10_000, Registry.Devices.Count);
        Assert.Equal(0, Registry.RemoveAll());
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(20), "something walks over all devices for each");
    }

    [Fact]
    public void Disposal_ends_devices_that_are_still_open_and_bios_that_wait()
    {
        TestRegistry test = new();
        FakeDevice a = test.Add("a");
        MappedDevice m = test.Create("m", "0 100 linear a 0");
        MappedDevice top = test.Create("top", "0 100 linear /dev/mapper/m 0");
        top.Open();
        m.Open();
        m.Suspend();
        TestBio waits = TestBio.Submit(top, BioOperation.Read, 0, 1);
        Assert.False(waits.Ended);
        Task events = Threads.Start(() => top.WaitForEvent(0, default));
        test.Dispose();
        Assert.Equal(BioStatus.IoError, waits.Wait());
        Wait.For(events, "the wait for an event");
        Assert.Equal(BioStatus.IoError, TestBio.Do(top, BioOperation.Read, 0, 1));
        Assert.Throws<DmException>(top.Open);
        top.Close(); // late, and harmless
        Assert.Equal(0, a.OpenNow);
        Assert.Empty(test.Registry.Devices);
    }

    [Fact]
    public void Creations_renames_and_removals_by_many_threads_leave_the_indexes_whole()
    {
        Threads.Run(4, thread =>
        {
            Random random = new(thread);
            for (int i = 0; i < 1500; i++)
            {
                string name = $"m{random.Next(6)}";
                try
                {
                    MappedDevice? device = Registry.FindByName(name);
                    switch (random.Next(4))
                    {
                        case 0 when device is null:
                            Registry.Create(name, uuid: random.Next(2) == 0 ? $"u{random.Next(4)}" : null);
                            break;
                        case 1 when device is not null:
                            Registry.Rename(device, $"m{random.Next(6)}");
                            break;
                        case 2 when device is not null:
                            Registry.Remove(device);
                            break;
                        case 3 when device is not null:
                            Registry.SetUuid(device, $"u{random.Next(4)}");
                            break;
                    }
                }
                catch (DmException e)
                {
                    Assert.True(e.Errno is Errno.EBUSY or Errno.ENXIO or Errno.EINVAL, e.ToString());
                }
            }
        });
        foreach (MappedDevice device in Registry.Devices)
        {
            Assert.Same(device, Registry.FindByName(device.Name));
            Assert.Same(device, Registry.FindByNumber(device.Number));
            Assert.Same(device.Uuid.Length > 0 ? device : null, Registry.FindByUuid(device.Uuid));
        }

        Registry.RemoveAll();
        Assert.Equal(0u, Registry.Create("last", uuid: "u0").Number.Minor); // all minors and uuids came back
    }

    private sealed class Closing(MappedDevice device) : IBioCompletion
    {
        public void BioEnded(Bio bio)
        {
            bio.Return();
            device.Close();
        }
    }
}
