namespace DeviceMapper.Nbd.Server;

/// <summary>
/// Whether writes of a connection take long on its own thread (O_DIRECT, a slow disk): then several of them are better given to
/// <see cref="Transmission.Waiters"/>. Some of them are timed. Times are in microseconds.
/// </summary>
internal sealed class WriteTimes
{
    private const long Long = 30; // a small write to the page cache takes a few, handing over about five
    private const int BytesInMicrosecond = 1024; // the page cache takes several times as many, a disk seldom more
    private const int TimedOf = 8; // while they are short, one of so many is timed
    private const int TriedOf = 128; // while they are long, one of so many is not handed over
    private const int Enough = 3; // so many more long ones than short ones

    private int _count;
    private int _score;

    /// <summary>Whether they take long.</summary>
    public bool AreLong => _score >= Enough;

    /// <summary>Whether the next one is to be done on the connection's thread, and timed.</summary>
    public bool TimesNext() => ++_count % (AreLong ? TriedOf : TimedOf) == 0;

    /// <summary>One of so many bytes took so long.</summary>
    public void Took(long microseconds, int bytes) =>
        _score = Math.Clamp(_score + (microseconds >= Long + (bytes / BytesInMicrosecond) ? 1 : -1), 0, 2 * Enough);
}
