namespace DeviceMapper.Targets.Multipath;

/// <summary>The registry's clock, in nanoseconds.</summary>
internal sealed class NanosecondClock(TimeProvider time)
{
    private readonly ulong _tick = (ulong)(1_000_000_000 / time.TimestampFrequency);

    /// <summary>Nanoseconds since some moment.</summary>
    public ulong Now => (ulong)time.GetTimestamp() * _tick;

    /// <summary>The time of day.</summary>
    public DateTimeOffset UtcNow => time.GetUtcNow();
}
