using System.Diagnostics;

namespace DeviceMapper.Tests.Infrastructure;

/// <summary>Waits for what must happen, with a limit that only a test that hangs reaches.</summary>
public static class Wait
{
    /// <summary>The limit.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>Waits until something holds that another thread is about to make true.</summary>
    public static void Until(Func<bool> holds, string what)
    {
        long start = Stopwatch.GetTimestamp();
        SpinWait spin = default;
        while (!holds())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < Limit, $"waited too long for {what}");
            spin.SpinOnce();
        }
    }

    /// <summary>Waits for a signal.</summary>
    public static void For(WaitHandle signal, string what) => Assert.True(signal.WaitOne(Limit), $"waited too long for {what}");

    /// <summary>Waits for a task, and throws what it threw.</summary>
    public static T For<T>(Task<T> task, string what)
    {
        For((Task)task, what);
        return task.Result;
    }

    /// <summary>Waits for a task, and throws what it threw.</summary>
    public static void For(Task task, string what)
    {
        Assert.True(((IAsyncResult)task).AsyncWaitHandle.WaitOne(Limit), $"waited too long for {what}");
        task.GetAwaiter().GetResult();
    }
}
