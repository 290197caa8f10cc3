namespace DeviceMapper.Tests.Infrastructure;

/// <summary>Threads of a test's: real ones, so that one that waits holds up no other.</summary>
public static class Threads
{
    /// <summary>Starts something on a thread of its own.</summary>
    public static Task Start(Action work) => Task.Factory.StartNew(work, TaskCreationOptions.LongRunning);

    /// <summary>Starts something on a thread of its own.</summary>
    public static Task<T> Start<T>(Func<T> work) => Task.Factory.StartNew(work, TaskCreationOptions.LongRunning);

    /// <summary>Starts something on several threads, which are given their numbers.</summary>
    public static Task Start(int count, Action<int> work) => Task.WhenAll(Enumerable.Range(0, count).Select(i => Start(() => work(i))));

    /// <summary>Does something on several threads and waits for them all.</summary>
    public static void Run(int count, Action<int> work) => Wait.For(Start(count, work), $"{count} threads");
}
