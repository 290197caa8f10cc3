using System.Runtime.CompilerServices;

namespace DeviceMapper.Targets.Delay;

/// <summary>
/// The one timer of all bios that wait, whatever number of devices they wait at: who has some says when the first is due, and is told then.
/// </summary>
internal sealed class WakeUps
{
    private static readonly ConditionalWeakTable<TimeProvider, WakeUps> _all = [];

    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();
    private readonly PriorityQueue<DelayedBios, long> _queue = new(); // by timestamp; may hold entries that were moved forward since
    private long _armedFor = long.MaxValue;

    private WakeUps(TimeProvider time)
    {
        _time = time;
        _timer = time.CreateTimer(static state => ((WakeUps)state!).Ring(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The one of a clock.</summary>
    public static WakeUps Of(TimeProvider time) => _all.GetValue(time, static t => new WakeUps(t));

    /// <summary>Has <see cref="DelayedBios.SendDue"/> called at a time.</summary>
    /// <param name="who">Whose.</param>
    /// <param name="due">When, by the clock's timestamp.</param>
    public void Add(DelayedBios who, long due)
    {
        lock (_lock)
        {
            _queue.Enqueue(who, due);
            if (due < _armedFor)
            {
                Arm(due);
            }
        }
    }

    private void Ring()
    {
        HashSet<DelayedBios> woken = []; // each once: two threads at one device's bios would send them in no order
        lock (_lock)
        {
            long now = _time.GetTimestamp();
            while (_queue.TryPeek(out DelayedBios? who, out long due) && due <= now)
            {
                _queue.Dequeue();
                woken.Add(who);
            }

            if (_queue.TryPeek(out _, out long next))
            {
                Arm(next);
            }
            else
            {
                _armedFor = long.MaxValue;
            }
        }

        // What a device's bios do may take long: the others must not wait for it.
        DelayedBios? mine = null;
        foreach (DelayedBios who in woken)
        {
            if (mine is null)
            {
                mine = who;
            }
            else
            {
                ThreadPool.UnsafeQueueUserWorkItem(static who => who.SendDue(), who, preferLocal: false);
            }
        }

        mine?.SendDue();
    }

    /// <summary>A timer counts whole milliseconds: rounded up, so that it does not ring before the time.</summary>
    private void Arm(long due)
    {
        _armedFor = due;
        TimeSpan left = _time.GetElapsedTime(_time.GetTimestamp(), due);
        _timer.Change(left <= TimeSpan.Zero ? TimeSpan.Zero : TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds)), Timeout.InfiniteTimeSpan);
    }
}
