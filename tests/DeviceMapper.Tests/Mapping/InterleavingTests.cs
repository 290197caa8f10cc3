using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Mapping;

/// <summary>
/// Loads, swaps, clears, removals and I/O of one and of several mapped devices over the same devices, from several threads, in
/// thousands of random orders. Fake devices count opens and claims, and notice a use after a close or a second claim; whenever nothing is
/// under way, the counts must be those of the tables; and in the end nothing is left.
/// </summary>
public sealed class InterleavingTests
{
    private static readonly int Rounds = Environment.GetEnvironmentVariable("UDM_TEST_LONG") == "1" ? 2000 : 25;

    [Theory]
    [InlineData(1, 3)]
    [InlineData(3, 3)]
    [InlineData(8, 4)]
    public void Nothing_is_leaked_or_closed_too_early(int mappedDevices, int threads)
    {
        for (int round = 0; round < Rounds; round++)
        {
            int seed = (mappedDevices * 100_000) + round;
            try
            {
                Round(mappedDevices, threads, seed);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}: {e.Message}", e);
            }
        }
    }

    private static void Round(int mappedDevices, int threads, int seed)
    {
        using TestRegistry registry = new();
        using ShufflingThread later = new(seed);
        FakeDevice[] devices = [.. Enumerable.Range(0, 4).Select(i => registry.Add($"d{i}", 64))];
        Random choices = new(seed);
        foreach (FakeDevice device in devices)
        {
            device.Recording = false;
            device.MayHang = choices.Next(4) == 0;
            device.Later = choices.Next(2) == 0 ? later : null;
        }

        // Opens fail, and take a while, now and then.
        ThreadLocal<Random> random = new(() => new Random(seed + Environment.CurrentManagedThreadId));
        foreach (FakeDevice device in devices)
        {
            device.WhenOpening = () =>
            {
                switch (random.Value!.Next(8))
                {
                    case 0:
                        throw new DmException(Errno.ENXIO, "it does not open");
                    case < 4:
                        Thread.Yield();
                        break;
                }
            };
        }

        Threads.Run(threads, thread =>
        {
            Random steps = new((seed * 31) + thread);
            for (int i = 0; i < 40; i++)
            {
                Step(registry, $"m{steps.Next(mappedDevices)}", steps);
            }
        });

        AssertCountsAreThoseOfTheTables(registry);
        registry.Registry.RemoveAll();
        Assert.Empty(registry.Registry.Devices);
        Wait.Until(() => registry.Registry.Claims.Count == 0, "late opens to be closed");
        registry.AssertNothingLeft();
    }

    private static void Step(TestRegistry registry, string name, Random random)
    {
        try
        {
            MappedDevice? device = registry.Registry.FindByName(name);
            if (device is null)
            {
                registry.Registry.Create(name);
                return;
            }

            switch (random.Next(12))
            {
                case < 4:
                    using (CancellationTokenSource caller = new())
                    {
                        if (random.Next(6) == 0)
                        {
                            caller.CancelAfter(TimeSpan.FromTicks(random.Next(2000)));
                        }

                        device.LoadTable(TableParser.Parse(RandomTable(random)), random.Next(3) == 0 ? DeviceMode.ReadOnly : DeviceMode.ReadWrite, caller.Token);
                    }

                    break;
                case < 7:
                    device.Resume(random.Next(2) == 0 ? SuspendOptions.NoFlush : SuspendOptions.None);
                    break;
                case 7:
                    device.ClearTable();
                    break;
                case 8:
                    registry.Registry.Remove(device);
                    break;
                case 9:
                    Assert.True(device.Dependencies().Count <= 4);
                    device.TableTexts(arguments: random.Next(2) == 0);
                    device.Suspend();
                    device.Resume();
                    break;
                default:
                    TestBio.Submit(device, random.Next(2) == 0 ? BioOperation.Read : BioOperation.Write, (ulong)random.Next(32), 1 + (ulong)random.Next(8));
                    break;
            }
        }
        catch (DmException e)
        {
            Assert.True(e.Errno is Errno.EINVAL or Errno.ENXIO or Errno.EBUSY or Errno.EINTR, e.ToString());
        }
    }

    /// <summary>One to three targets, on any of the devices, some in a mode of their own.</summary>
    private static string RandomTable(Random random)
    {
        List<string> lines = [];
        for (int i = 0, count = 1 + random.Next(3); i < count; i++)
        {
            lines.Add(random.Next(3) == 0
                ? $"{16 * i} 16 test s d{random.Next(4)} {random.Next(32)} d{random.Next(4)} {(random.Next(2) == 0 ? "r" : "w")}{random.Next(32)}"
                : $"{16 * i} 16 linear d{random.Next(4)} {random.Next(32)}");
        }

        return string.Join('\n', lines);
    }

    private static void AssertCountsAreThoseOfTheTables(TestRegistry registry)
    {
        int[,] expected = new int[4, 2];
        foreach (MappedDevice device in registry.Registry.Devices)
        {
            Dependency[] live = [.. device.Dependencies()], inactive = [.. device.Dependencies(inactive: true)];
            foreach (IGrouping<(string Name, DeviceMode Mode), Dependency> shared in live.Concat(inactive).GroupBy(d => (d.Name, d.Mode)))
            {
                expected[shared.Key.Name[1] - '0', (int)shared.Key.Mode]++; // one open, however many tables and targets
                int references = device.TableDevices.Snapshot().Single(d => d.Device.Name == shared.Key.Name && d.Device.Mode == shared.Key.Mode).References;
                Assert.Equal(shared.Count(), references);
            }

            Assert.Equal(live.Concat(inactive).Select(d => (d.Name, d.Mode)).Distinct().Count(), device.TableDevices.Snapshot().Count);
        }

        for (int i = 0; i < 4; i++)
        {
            FakeDevice device = registry[$"d{i}"];
            Wait.Until(
                () => device.OpenIn(DeviceMode.ReadOnly) == expected[i, 0] && device.OpenIn(DeviceMode.ReadWrite) == expected[i, 1]
                    && device.Claims == (expected[i, 0] + expected[i, 1] > 0 ? 1 : 0),
                $"{device.Name} to be open {expected[i, 0]} and {expected[i, 1]} times (it is {device.OpenIn(DeviceMode.ReadOnly)} and {device.OpenIn(DeviceMode.ReadWrite)}, claims {device.Claims})");
        }
    }
}
