using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Mirror;

/// <summary>
/// The thread of a mirror: marks regions in the log for writes that wait for that, copies regions, and sees to writes that
/// failed on a leg (the kernel's <c>kmirrord</c>). It runs from the first resume on.
/// </summary>
internal sealed partial class MirrorWorker
{
    /// <summary>A region that was not written to for this long, and up to twice as long, becomes clean in the log.</summary>
    public static readonly TimeSpan CleanAfter = TimeSpan.FromMilliseconds(500);

    private readonly MirrorTarget _mirror;
    private readonly MirrorLegs _legs;
    private readonly DirtyLog _log;
    private readonly RegionStates _regions;
    private readonly RegionCopies _copies;
    private readonly MirrorFeatures _features;
    private readonly ITimer _cleanTimer;
    private readonly object _queue = new(); // guards the lists and flags below
    private readonly Queue<Action> _posted = [];
    private readonly BioList _writes = new();
    private readonly BioList _failures = new();
    private readonly BioList _held = new();
    private Thread? _thread;
    private bool _woken;
    private bool _stopping;
    private bool _suspending; // what would be held is ended
    private bool _mayCopy;
    private int _copying = -1; // the region that is copied, or about to be
    private bool _copyEnded;
    private bool _cleanDue;

    /// <summary>Makes it; the thread starts with the first resume.</summary>
    public MirrorWorker(MirrorTarget mirror, MirrorLegs legs, DirtyLog log, RegionStates regions, MirrorFeatures features, TimeProvider time)
    {
        _mirror = mirror;
        _legs = legs;
        _log = log;
        _regions = regions;
        _features = features;
        _copies = new RegionCopies(legs, log.RegionSize, mirror.Length, CopyEnded);
        _cleanTimer = time.CreateTimer(static worker => ((MirrorWorker)worker!).CleanDue(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        legs.AllInSync = log.SyncCount == log.RegionCount;
    }

    /// <summary>Whether the log could not be written, and writes wait for user space to see to that. Until the next table.</summary>
    public bool KeepsWrites => _logFailed && _features.HandleErrors;

    /// <summary>Takes a write, discard or flush that cannot go to the legs at once.</summary>
    public void Queue(Bio bio)
    {
        lock (_queue)
        {
            _writes.Add(bio);
            Wake();
        }
    }

    /// <summary>Takes a write that failed on some leg.</summary>
    public void QueueFailed(Bio bio)
    {
        lock (_queue)
        {
            _failures.Add(bio);
            Wake();
        }
    }

    /// <summary>The writes that a copy waited for have ended.</summary>
    public void WakeUp()
    {
        lock (_queue)
        {
            Wake();
        }
    }

    /// <summary>A suspend begins: ends what is held, and what would be from now on; finishes the region that is copied, and copies no other.</summary>
    public void Stop()
    {
        Bio? held;
        lock (_queue)
        {
            _suspending = true;
            _mayCopy = false;
            held = _held.TakeAll();
        }

        ForEach(held, EndHeld);
        lock (_queue)
        {
            while (_copying >= 0)
            {
                Monitor.Wait(_queue);
            }
        }
    }

    /// <summary>Holds writes that fail, and copies regions.</summary>
    public void Start()
    {
        lock (_queue)
        {
            _suspending = false;
            _mayCopy = true;
            Wake();
        }
    }

    /// <summary>Suspended: all that is in sync is clean.</summary>
    public void CleanAll() => Run(() =>
    {
        Clean(atOnce: true);
        _log.Flush();
    });

    /// <summary>Reads the log again, as each resume does.</summary>
    public void ResumeLog() => Run(_log.Resume);

    /// <summary>Ends the thread. No bio is in flight.</summary>
    public void Dispose()
    {
        _cleanTimer.Dispose();
        lock (_queue)
        {
            _stopping = true;
            Monitor.PulseAll(_queue);
        }

        _thread?.Join();
    }

    private static void ForEach(Bio? bio, Action<Bio> action)
    {
        while (bio is not null)
        {
            Bio? next = bio.Next;
            bio.Next = null;
            action(bio);
            bio = next;
        }
    }

    private void Wake()
    {
        _woken = true;
        Monitor.PulseAll(_queue);
    }

    private void CleanDue()
    {
        lock (_queue)
        {
            _cleanDue = true;
            Wake();
        }
    }

    private void CopyEnded()
    {
        lock (_queue)
        {
            _copyEnded = true;
            Wake();
        }
    }

    /// <summary>Has the thread do something, and waits for that.</summary>
    private void Run(Action action)
    {
        if (_thread is null)
        {
            _thread = new Thread(Run) { IsBackground = true, Name = "mirror" };
            _thread.Start();
        }

        bool done = false;
        lock (_queue)
        {
            _posted.Enqueue(() =>
            {
                action();
                lock (_queue)
                {
                    done = true;
                    Monitor.PulseAll(_queue);
                }
            });
            Wake();
            while (!done)
            {
                Monitor.Wait(_queue);
            }
        }
    }

    private void Run()
    {
        while (true)
        {
            Action? posted;
            Bio? writes, failures;
            bool copyEnded, cleanDue;
            lock (_queue)
            {
                while (!_woken && !_stopping)
                {
                    Monitor.Wait(_queue);
                }

                if (_stopping)
                {
                    return;
                }

                (copyEnded, cleanDue) = (_copyEnded, _cleanDue);
                _copyEnded = _cleanDue = false;
                writes = _writes.TakeAll();
                failures = _failures.TakeAll();
                _woken = _posted.TryDequeue(out posted) && _posted.Count > 0;
            }

            posted?.Invoke();
            if (copyEnded)
            {
                EndCopy();
            }

            if (cleanDue)
            {
                _timerSet = false;
                Clean(atOnce: false);
                _log.Flush();
            }

            Copy();
            Write(writes);
            SeeTo(failures);
            SetTimer();
        }
    }
}
