namespace DeviceMapper.Tests.Infrastructure;

/// <summary>Measures what code allocates on the managed heap, on this thread.</summary>
public static class Allocations
{
    private const int Rounds = 20;

    /// <summary>
    /// The least that a round allocated, in bytes. Code that allocates does so in every round. The runtime does so in some: the first time that code
    /// takes a way, when a lock is first contended for, or when a cache of its own grows, which on a busy machine is at any time.
    /// </summary>
    public static long LeastOfRounds(Action round)
    {
        long least = long.MaxValue;
        for (int i = 0; i < Rounds && least > 0; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            round();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
