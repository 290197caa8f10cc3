using DeviceMapper.Native;

namespace DeviceMapper.Mapping;

/// <summary>A count of events that can be waited on.</summary>
internal sealed class EventCounter
{
    private readonly object _lock = new();
    private uint _number;
    private bool _over;

    /// <summary>The count.</summary>
    public uint Number
    {
        get
        {
            lock (_lock)
            {
                return _number;
            }
        }
    }

    /// <summary>Counts an event and wakes who waits.</summary>
    public void Raise()
    {
        lock (_lock)
        {
            _number++;
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>No event will come any more: whoever waits returns.</summary>
    public void End()
    {
        lock (_lock)
        {
            _over = true;
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Waits until the count differs from <paramref name="since"/>.</summary>
    /// <exception cref="DmException">EINTR: the caller went away.</exception>
    public void Wait(uint since, CancellationToken cancellation)
    {
        using CancellationTokenRegistration wake = cancellation.Register(Wake);
        lock (_lock)
        {
            while (_number == since && !_over)
            {
                if (cancellation.IsCancellationRequested)
                {
                    throw new DmException(Errno.EINTR, "gave up waiting for an event");
                }

                Monitor.Wait(_lock);
            }
        }
    }

    private void Wake()
    {
        lock (_lock)
        {
            Monitor.PulseAll(_lock);
        }
    }
}
