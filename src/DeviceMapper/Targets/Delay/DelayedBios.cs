using DeviceMapper.Io;

namespace DeviceMapper.Targets.Delay;

/// <summary>Bios of one target that wait until a time of their own; sent in the order of these times, equal ones in the order of arrival.</summary>
internal sealed class DelayedBios
{
    private readonly TimeProvider _time;
    private readonly WakeUps _wakeUps;
    private readonly Action<Bio> _send;
    private readonly Lock _lock = new();
    private readonly PriorityQueue<(Bio Bio, int Class), (long Due, long Number)> _queue = new();
    private readonly int[] _counts; // by class
    private long _number;
    private long _wakeUpAt = long.MaxValue; // the earliest wake-up that was asked for and has not come
    private bool _open = true;

    /// <summary>None yet.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="classes">How many classes are counted apart.</param>
    /// <param name="send">Sends a bio whose time has come.</param>
    public DelayedBios(TimeProvider time, int classes, Action<Bio> send)
    {
        _time = time;
        _send = send;
        _wakeUps = WakeUps.Of(time);
        _counts = new int[classes];
    }

    /// <summary>How many of a class wait.</summary>
    public int Count(int ofClass) => Volatile.Read(ref _counts[ofClass]);

    /// <summary>Keeps a bio for a time.</summary>
    /// <returns>False while nothing may wait: the bio is still the caller's.</returns>
    public bool TryAdd(Bio bio, int ofClass, TimeSpan delay)
    {
        long due = _time.GetTimestamp() + (long)Math.Ceiling(delay.TotalSeconds * _time.TimestampFrequency);
        bool wake;
        lock (_lock)
        {
            if (!_open)
            {
                return false;
            }

            _queue.Enqueue((bio, ofClass), (due, _number++));
            _counts[ofClass]++;
            wake = due < _wakeUpAt;
            _wakeUpAt = wake ? due : _wakeUpAt;
        }

        if (wake)
        {
            _wakeUps.Add(this, due);
        }

        return true;
    }

    /// <summary>Sends all that wait, and lets none wait until <see cref="Open"/>.</summary>
    public void SendAllAndClose()
    {
        lock (_lock)
        {
            _open = false;
        }

        SendAll();
    }

    /// <summary>Sends all that wait.</summary>
    public void SendAll() => Send(long.MaxValue);

    /// <summary>Bios may wait again.</summary>
    public void Open()
    {
        lock (_lock)
        {
            _open = true;
        }
    }

    /// <summary>Sends those whose time has come, and asks to be called again for the next.</summary>
    internal void SendDue()
    {
        lock (_lock)
        {
            _wakeUpAt = long.MaxValue;
        }

        Send(_time.GetTimestamp());

        long next;
        lock (_lock)
        {
            if (!_queue.TryPeek(out _, out (long Due, long Number) first) || first.Due >= _wakeUpAt)
            {
                return;
            }

            next = _wakeUpAt = first.Due;
        }

        _wakeUps.Add(this, next);
    }

    private void Send(long until)
    {
        while (true)
        {
            (Bio Bio, int Class) next;
            lock (_lock)
            {
                if (!_queue.TryPeek(out next, out (long Due, long Number) first) || first.Due > until)
                {
                    return;
                }

                _queue.Dequeue();
                _counts[next.Class]--;
            }

            _send(next.Bio);
        }
    }
}
