using DeviceMapper.Native;

namespace DeviceMapper.Mapping.Statistics;

/// <summary>The clocks of regions with and without precise timestamps; both count from when it was made.</summary>
internal sealed class StatisticsClock
{
    private const long NanosecondsInSecond = 1_000_000_000;

    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly long _startTick = Tick();

    public StatisticsClock(TimeProvider time)
    {
        _time = time;
        _start = time.GetTimestamp();
    }

    /// <summary>The system's coarse clock costs a third of its fine one, and is read twice for each bio.</summary>
    public long Milliseconds =>
        _time == TimeProvider.System ? Tick() - _startTick : (long)_time.GetElapsedTime(_start).TotalMilliseconds;

    /// <summary>For regions with precise timestamps.</summary>
    public long Nanoseconds => _time.TimestampFrequency == NanosecondsInSecond
        ? _time.GetTimestamp() - _start
        : (long)((Int128)(_time.GetTimestamp() - _start) * NanosecondsInSecond / _time.TimestampFrequency);

    private static unsafe long Tick()
    {
        TimeSpec time;
        _ = LibC.ClockGetTime(LibC.CLOCK_MONOTONIC_COARSE, &time);
        return (time.Seconds * 1000) + (time.Nanoseconds / 1_000_000);
    }

    /// <summary>The time in a unit.</summary>
    public long Now(bool precise) => precise ? Nanoseconds : Milliseconds;
}
