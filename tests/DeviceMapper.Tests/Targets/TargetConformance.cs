using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

/// <summary>
/// What every target must do, whatever it does. The tests of a target inherit this, or <see cref="DataTargetConformance"/> where reads give what
/// writes wrote, and say in <see cref="Table"/> and <see cref="AddDevices"/> what a table of it looks like.
/// </summary>
/// <remarks>
/// <code>
/// public sealed class LinearTargetTests : DataTargetConformance
/// {
///     protected override string Table => "0 1000 linear a 24";
///     protected override void AddDevices(TestRegistry registry) => registry.Add("a", 1024);
///     protected override IEnumerable&lt;string&gt; BadTables => ["0 1000 linear a", "0 1000 linear a x"];
///     protected override (string Device, ulong Sector)? Place(ulong sector) => ("a", sector + 24);
/// }
/// </code>
/// </remarks>
public abstract class TargetConformance
{
    /// <summary>A table of the target over the devices of <see cref="AddDevices"/>, as the target itself prints it.</summary>
    protected abstract string Table { get; }

    /// <summary>Adds the devices that <see cref="Table"/> names; formats them, if they must be.</summary>
    protected abstract void AddDevices(TestRegistry registry);

    /// <summary>Tables that must be refused with EINVAL, opening nothing for good. Some should name devices.</summary>
    protected abstract IEnumerable<string> BadTables { get; }

    /// <summary>Whether its devices are opened by the load, and a load fails when one of them does not open.</summary>
    protected virtual bool NeedsItsDevices => true;

    /// <summary>The devices that a flush must reach, each exactly once.</summary>
    protected virtual IEnumerable<string> FlushReaches(TestRegistry registry) => registry.Devices.Select(d => d.Name);

    /// <summary>How a read must end.</summary>
    protected virtual BioStatus ReadStatus => BioStatus.Ok;

    /// <summary>How a write must end.</summary>
    protected virtual BioStatus WriteStatus => BioStatus.Ok;

    /// <summary>What a status line may change from one reading to the next, without I/O in between: nothing by default.</summary>
    protected virtual bool StatusIsStable => true;

    /// <summary><see cref="Table"/> as the target prints it, where that is known only when the devices are there: mapped devices have numbers.</summary>
    protected virtual string Printed(TestRegistry registry) => Table;

    /// <summary>Whether a table can replace a live one of the same text.</summary>
    protected virtual bool Reloads => true;

    /// <summary>A registry with the devices.</summary>
    protected TestRegistry NewRegistry()
    {
        TestRegistry registry = new();
        AddDevices(registry);
        return registry;
    }

    [Fact]
    public void Table_text_loads_again_and_is_the_same()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", Table);
        string text = TestRegistry.TableOf(device);
        Assert.Equal(Normalised(Printed(registry)), text.TrimEnd(' ')); // some of the kernel's texts end with a blank
        if (Reloads)
        {
            TestRegistry.Swap(device, text);
            Assert.Equal(text, TestRegistry.TableOf(device));
        }

        Assert.Equal(device.TableTexts(arguments: false).Count, device.Status().TargetCount);
    }

    [Fact]
    public void Reloading_its_own_table_opens_nothing_anew()
    {
        if (!Reloads)
        {
            return;
        }

        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", Table);
        Dictionary<string, int> before = registry.Devices.ToDictionary(d => d.Name, d => d.TotalOpens);
        TestRegistry.Swap(device, Table);
        TestRegistry.Swap(device, Table);
        Assert.All(registry.Devices, d => Assert.Equal(before[d.Name], d.TotalOpens));
    }

    [Fact]
    public void Status_says_the_same_twice()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", Table);
        Assert.SkipUnless(StatusIsStable, "the target's status changes by itself");
        Assert.Equal(device.TableTexts(arguments: false), device.TableTexts(arguments: false));
        Assert.Equal(device.TableTexts(arguments: false), device.TableTexts(arguments: false, noflush: true));
    }

    [Fact]
    public void Bad_tables_are_refused_with_a_sentence_and_leave_nothing_behind()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Registry.Create("m");
        foreach (string table in BadTables)
        {
            DmException refusal = Assert.Throws<DmException>(() => device.LoadTable(table));
            Assert.True(refusal.Errno == Errno.EINVAL, $"{table}: {refusal.Errno}: {refusal.Message}");
            AssertIsSentence(refusal, table);
            Assert.False(device.Status().InactivePresent);
            AssertNothingLeft(registry);
        }
    }

    /// <summary>The errno of a load whose device does not open; some of the kernel's targets have one of their own.</summary>
    protected virtual Errno OpenRefusal(Errno ofDevice) => ofDevice;

    [Fact]
    public void A_device_that_does_not_open_gives_its_errno_and_leaves_nothing_behind()
    {
        if (!NeedsItsDevices)
        {
            return;
        }

        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Registry.Create("m");
        foreach (FakeDevice lower in registry.Devices)
        {
            lower.OpenFailure = new DmException(Errno.ENXIO, $"'{lower.Name}': nobody is there");
            DmException refusal = Assert.Throws<DmException>(() => device.LoadTable(Table));
            Assert.Equal(OpenRefusal(Errno.ENXIO), refusal.Errno);
            Assert.Contains($"'{lower.Name}': nobody is there", refusal.Message);
            AssertIsSentence(refusal, Table);
            AssertNothingLeft(registry);
            lower.OpenFailure = null;
        }
    }

    [Fact]
    public void I_O_past_the_end_fails_and_reaches_no_device()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", Table);
        ulong size = device.Size.Value, block = device.Limits.LogicalBlockSize / Sector.Size;
        foreach (FakeDevice lower in registry.Devices)
        {
            lower.Forget();
        }

        foreach (BioOperation operation in new[] { BioOperation.Read, BioOperation.Write })
        {
            Assert.Equal(BioStatus.IoError, TestBio.Do(device, operation, size, block));
            Assert.Equal(BioStatus.IoError, TestBio.Do(device, operation, size - block, 2 * block));
            Assert.Equal(BioStatus.IoError, TestBio.Do(device, operation, ulong.MaxValue - 1, block));
        }

        Assert.DoesNotContain(registry.Devices.SelectMany(d => d.Seen), b => b.Operation is BioOperation.Read or BioOperation.Write);
        Assert.Equal(ReadStatus, TestBio.Do(device, BioOperation.Read, size - block, block));
    }

    [Fact]
    public void Reads_and_writes_end_as_they_should()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", Table);
        ulong block = device.Limits.LogicalBlockSize / Sector.Size;
        Assert.Equal(ReadStatus, TestBio.Do(device, BioOperation.Read, 0, block));
        Assert.Equal(WriteStatus, TestBio.Do(device, BioOperation.Write, 0, block));
        Assert.Equal(ReadStatus, TestBio.Do(device, BioOperation.Read, 0, device.Size.Value));
        Assert.Equal(WriteStatus, TestBio.Do(device, BioOperation.Write, 0, device.Size.Value));
    }

    [Fact]
    public void A_flush_reaches_each_device_once()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", Table);
        foreach (FakeDevice lower in registry.Devices)
        {
            lower.Forget();
        }

        Assert.Equal(BioStatus.Ok, TestBio.Flush(device));
        HashSet<string> reached = [.. FlushReaches(registry)];
        foreach (FakeDevice lower in registry.Devices)
        {
            int flushes = lower.Seen.Count(b => b.Operation == BioOperation.Flush);
            Assert.True(flushes == (reached.Contains(lower.Name) ? 1 : 0), $"{lower.Name} was flushed {flushes} times");
        }
    }

    [Fact]
    public void Suspended_it_lets_no_bio_down_and_resumed_it_ends_all()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", Table);
        device.Suspend();
        foreach (FakeDevice lower in registry.Devices)
        {
            lower.Forget();
        }

        ulong block = device.Limits.LogicalBlockSize / Sector.Size;
        TestBio[] bios = [.. Enumerable.Range(0, 20).Select(i => TestBio.Submit(device, i % 2 == 0 ? BioOperation.Read : BioOperation.Write, 0, block))];
        Assert.DoesNotContain(registry.Devices.SelectMany(d => d.Seen), b => b.Operation is BioOperation.Read or BioOperation.Write);
        Assert.All(bios, b => Assert.False(b.Ended));
        device.Resume();
        for (int i = 0; i < bios.Length; i++)
        {
            Assert.Equal(i % 2 == 0 ? ReadStatus : WriteStatus, bios[i].Wait());
        }
    }

    [Fact]
    public void Suspend_and_resume_again_and_again_under_load_lose_nothing()
    {
        using TestRegistry registry = NewRegistry();
        using ShufflingThread later = new(4);
        MappedDevice device = registry.Create("m", Table);
        foreach (FakeDevice lower in registry.Devices)
        {
            lower.Later = later;
            lower.Recording = false;
        }

        ulong block = device.Limits.LogicalBlockSize / Sector.Size;
        using CancellationTokenSource enough = new();
        Task users = Threads.Start(3, u =>
        {
            Random random = new(u);
            while (!enough.IsCancellationRequested)
            {
                ulong at = block * (ulong)random.NextInt64((long)(device.Size.Value / block));
                bool read = random.Next(2) == 0;
                Assert.Equal(read ? ReadStatus : WriteStatus, TestBio.Do(device, read ? BioOperation.Read : BioOperation.Write, at, block));
            }
        });
        for (int i = 0; i < 100; i++)
        {
            device.Suspend(i % 2 == 0 ? SuspendOptions.None : SuspendOptions.NoFlush);
            Wait.Until(() => device.InFlight == 0, "bios that find the gate closed to leave");
            if (i % 4 == 3 && Reloads)
            {
                device.LoadTable(Table);
            }

            device.Resume();
        }

        enough.Cancel();
        Wait.For(users, "the users of the device");
    }

    [Fact]
    public void Removal_waits_for_bios_in_flight_and_closes_everything()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", Table);
        foreach (FakeDevice lower in registry.Devices)
        {
            lower.Holding = true;
        }

        ulong block = device.Limits.LogicalBlockSize / Sector.Size;
        TestBio[] bios = [.. Enumerable.Range(0, 8).Select(i => TestBio.Submit(device, i % 2 == 0 ? BioOperation.Read : BioOperation.Write, 0, block))];
        Task removal = Threads.Start(() => registry.Registry.Remove(device));
        while (!removal.IsCompleted)
        {
            Thread.Yield();
            foreach (FakeDevice lower in registry.Devices)
            {
                lower.EndAll(latestFirst: true);
            }
        }

        Wait.For(removal, "the removal");
        Assert.All(bios, b => Assert.True(b.Ended));
        AssertNothingLeft(registry);
    }

    /// <summary>Sees that a refused or removed table has left nothing open.</summary>
    protected virtual void AssertNothingLeft(TestRegistry registry) => registry.AssertNothingLeft();

    /// <summary>Holds a refusal to the house's rules: it says what was wrong, and no errno's wording.</summary>
    protected static void AssertIsSentence(DmException refusal, string table)
    {
        Assert.True(refusal.Message.Length > 10, $"{table}: '{refusal.Message}' says too little");
        Assert.DoesNotContain(refusal.Errno.Text(), refusal.Message, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>A table as it is printed: one blank between words.</summary>
    private static string Normalised(string table) => string.Join(
        '\n',
        TableParser.Parse(table).Select(l => $"{l.Start} {l.Length} {l.Type} {string.Join(' ', TableParser.SplitWords(l.Arguments).Select(TableParser.EscapeWord))}".TrimEnd(' ')));
}
