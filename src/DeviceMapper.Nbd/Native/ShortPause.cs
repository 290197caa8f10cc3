using System.Runtime.InteropServices;

namespace DeviceMapper.Nbd.Native;

/// <summary>The shortest sleep that the kernel's timers give: some ten microseconds, by day and by machine.</summary>
internal static unsafe partial class ShortPause
{
    private const int SetTimerSlack = 29; // PR_SET_TIMERSLACK

    /// <summary>Takes the 50 microseconds away that the kernel may add to each sleep of this thread.</summary>
    public static void Allow() => _ = ProcessControl(SetTimerSlack, 1, 0, 0, 0);

    /// <summary>Sleeps.</summary>
    public static void Take()
    {
        TimeSpec time = new() { Nanoseconds = 1000 };
        _ = NanoSleep(&time, null);
    }

    [LibraryImport("libc", EntryPoint = "nanosleep")]
    private static partial int NanoSleep(TimeSpec* time, TimeSpec* left);

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int ProcessControl(int option, nuint a, nuint b, nuint c, nuint d);

    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
