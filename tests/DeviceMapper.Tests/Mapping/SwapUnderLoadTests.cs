using DeviceMapper.Mapping;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Mapping;

/// <summary>The load test: 1,000 swaps of tables under verified random I/O of several threads lose nothing.</summary>
public sealed class SwapUnderLoadTests
{
    /// <summary>Tables that mean the same: how they are cut into targets, and on how many levels, must not be seen from above.</summary>
    private static readonly string[] Tables =
    [
        "0 768 linear a 0\n768 256 linear b 0",
        "0 100 linear a 0\n100 1 linear a 100\n101 667 linear a 101\n768 256 linear b 0",
        "0 768 test pass a 0\n768 256 test small b 0",
        "0 64 test small a 0\n64 704 linear a 64\n768 256 linear b 0",
        "0 1024 linear /dev/mapper/below 0",
    ];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_thousand_swaps_under_verified_I_O_lose_nothing(bool later)
    {
        using TestRegistry registry = new();
        using ShufflingThread shuffling = new(1);
        registry.Script("small").MaxIo = 3;
        foreach (FakeDevice device in new[] { registry.Add("a"), registry.Add("b", 256) })
        {
            device.Recording = false;
            device.Later = later ? shuffling : null;
        }

        registry.Create("below", Tables[0]);
        MappedDevice m = registry.Create("m", Tables[0]);
        bool over = false;
        Task users = Threads.Start(4, user =>
        {
            VerifiedIo io = new(m, (ulong)user * 255, 255, user) { Largest = 40 };
            while (!Volatile.Read(ref over))
            {
                io.Step();
            }

            Assert.True(io.Done > 10);
            io.CheckAll();
        });
        Random random = new(2);
        int swaps = 0;
        while (swaps < 1000 && !users.IsCompleted)
        {
            m.LoadTable(Tables[random.Next(Tables.Length)]);
            if (random.Next(2) == 0)
            {
                m.Suspend(random.Next(2) == 0 ? SuspendOptions.NoFlush : SuspendOptions.None);
            }

            m.Resume();
            swaps++;
        }

        Volatile.Write(ref over, true);
        Wait.For(users, "the users");
        Assert.Equal(1000, swaps);
        Assert.Equal((0, 0), (m.InFlight, m.Parked));
        Assert.Equal(registry["a"].OpenNow, registry["b"].OpenNow);
    }
}
