using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Mapping;

/// <summary>The guard of the live table: plain counts of each thread, and one barrier on the side of who waits.</summary>
public sealed class InFlightCounterTests
{
    private static readonly int Rounds = Environment.GetEnvironmentVariable("UDM_TEST_LONG") == "1" ? 200_000 : 5_000;

    [Fact]
    public void The_sum_is_what_has_entered_less_what_has_left_on_whatever_thread()
    {
        InFlightCounter counter = new();
        counter.Enter(BioThread.Current); // a bio and its map
        Assert.Equal(2, counter.Sum());
        Wait.For(Threads.Start(() => counter.Exit(BioThread.Current)), "a thread");
        Assert.Equal(1, counter.Sum());
        counter.Exit(BioThread.Current);
        Assert.Equal(0, counter.Sum());
    }

    [Fact]
    public void More_threads_than_cells_lose_no_count()
    {
        InFlightCounter counter = new();
        using Barrier barrier = new(BioThread.SlotCount + 8);
        Threads.Run(BioThread.SlotCount + 8, _ =>
        {
            barrier.SignalAndWait(); // all have their cells, or share one
            for (int i = 0; i < 10_000; i++)
            {
                counter.Enter(BioThread.Current);
                counter.Exit(BioThread.Current);
            }
        });
        Assert.Equal((BioThread.SlotCount + 8) * 10_000, counter.Sum());
    }

    /// <summary>
    /// Who enters looks at the gate without a barrier of its own. If both sides could miss each other, a thread would be inside while who closed
    /// the gate saw nobody.
    /// </summary>
    [Fact]
    public void Nobody_is_inside_when_the_gate_is_closed_and_the_sum_is_zero()
    {
        InFlightCounter counter = new();
        bool closed = false, over = false;
        int table = 1; // 0 while "destroyed": whoever is inside must never see that
        long seen = 0, wrong = 0;
        Task users = Threads.Start(3, _ =>
        {
            BioThread thread = BioThread.Current;
            while (!Volatile.Read(ref over))
            {
                counter.Enter(thread);
                if (Volatile.Read(ref closed))
                {
                    counter.Undo(thread);
                    Thread.Yield();
                    continue;
                }

                if (Volatile.Read(ref table) == 0)
                {
                    Interlocked.Increment(ref wrong);
                }

                counter.Exit(thread);
                counter.Exit(thread);
                Volatile.Write(ref seen, Volatile.Read(ref seen) + 1);
            }
        });
        for (int i = 0; i < Rounds; i++)
        {
            Volatile.Write(ref closed, true);
            Interlocked.MemoryBarrierProcessWide();
            Wait.Until(() => counter.Sum() == 0, "the users to leave");
            Volatile.Write(ref table, 0);
            Thread.SpinWait(20);
            Volatile.Write(ref table, 1);
            Volatile.Write(ref closed, false);
        }

        Volatile.Write(ref over, true);
        Wait.For(users, "the users");
        Assert.True(Volatile.Read(ref seen) > 0);
        Assert.Equal(0, wrong);
    }
}
