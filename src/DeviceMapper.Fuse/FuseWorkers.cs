using DeviceMapper.Fuse.Native;
using DeviceMapper.Native;
using Microsoft.Extensions.Logging;

namespace DeviceMapper.Fuse;

/// <summary>
/// The threads of a mount: as many as there are processors, and more while backends hold them. A hanging backend keeps its
/// threads, never the other devices'.
/// </summary>
internal sealed class FuseWorkers : IDisposable
{
    /// <summary>The most threads. Each may hang in a backend; parked bios hold none.</summary>
    public const int MaxThreads = 64;

    /// <summary>How long a thread beyond the permanent ones waits for work before it ends.</summary>
    public const int IdleMilliseconds = 10_000;

    // While no thread is idle, the supervisor looks this often whether those there are hang.
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);
    private const int SlowRequests = 10; // in a tick: a thread that handles fewer waits in its backend, and is not short of processor
    private const int CalmTicks = 100;

    private readonly FuseServer _server;
    private readonly Lock _lock = new();
    private readonly ManualResetEventSlim _starved = new(false, spinCount: 0);
    private readonly ManualResetEventSlim _stopped = new(false, spinCount: 0); // waited for in ticks: it takes no processor time meanwhile
    private readonly int _stopEvent;
    private volatile FuseWorker[] _workers = [];
    private readonly List<Thread> _threads = [];
    private int _idle;
    private volatile bool _stopping;

    [ThreadStatic]
    private static bool _isWorker;

    public FuseWorkers(FuseServer server)
    {
        _server = server;
        _stopEvent = LibC.EventFd(0, LibC.EFD_CLOEXEC | LibC.EFD_NONBLOCK);
        if (_stopEvent < 0)
        {
            throw new DmException(Errnos.Last, "fuse: cannot start: eventfd failed");
        }
    }

    /// <summary>Whether the calling thread handles a request: it must not wait for the mount.</summary>
    public static bool IsWorker => _isWorker;

    public bool Stopping => _stopping;

    /// <summary>How many threads handle requests now.</summary>
    public int Count => _workers.Length;

    public void Start()
    {
        // Where there are two, a request wakes both, and the nearer one takes it: at depth 1 that serves 1.3 times as many a second
        // for the same processor time (bench/results/fuse.md). Of more, each request wakes one.
        int count = Math.Clamp(Environment.ProcessorCount, 2, 4);
        for (int i = 0; i < count; i++)
        {
            Add(permanent: true, wakesAlways: count == 2);
        }

        StartThread("fuse supervisor", Supervise);
    }

    /// <summary>Tells the threads to end. Does not wait for them.</summary>
    public unsafe void Stop()
    {
        _stopping = true;
        _stopped.Set();
        _starved.Set();
        ulong one = 1;
        _ = LibC.Write(_stopEvent, (nint)(&one), sizeof(ulong));
    }

    /// <summary>Returns when every RELEASE that has been read by now is handled. False if one takes longer than the limit.</summary>
    public bool FinishTurns(TimeSpan limit)
    {
        bool finished = true;
        foreach (FuseWorker worker in _workers)
        {
            finished &= worker.FinishTurn(limit);
        }

        return finished;
    }

    public void BecomesIdle() => Interlocked.Increment(ref _idle);

    public void BecomesBusy()
    {
        if (Interlocked.Decrement(ref _idle) == 0 && !_starved.IsSet)
        {
            _starved.Set();
        }
    }

    /// <summary>Ends the threads; those that hang in a backend are left to end when it answers.</summary>
    public void Dispose()
    {
        Stop();
        long deadline = Environment.TickCount64 + 1000;
        Thread[] threads;
        lock (_lock)
        {
            threads = [.. _threads];
        }

        bool allEnded = true;
        foreach (Thread thread in threads)
        {
            allEnded &= thread == Thread.CurrentThread || thread.Join((int)Math.Max(0, deadline - Environment.TickCount64));
        }

        if (allEnded)
        {
            _ = LibC.Close(_stopEvent);
        }
    }

    private void Add(bool permanent, bool wakesAlways)
    {
        lock (_lock)
        {
            if (_stopping)
            {
                return;
            }

            FuseWorker worker = new(_server, this, permanent, wakesAlways, _stopEvent);
            _workers = [.. _workers, worker];
            StartThread("fuse", () => Run(worker));
        }
    }

    private void StartThread(string name, Action run)
    {
        Thread thread = new(() => run()) { IsBackground = true, Name = name };
        lock (_lock)
        {
            _threads.RemoveAll(ended => !ended.IsAlive && ended.ThreadState != ThreadState.Unstarted);
            thread.Start();
            _threads.Add(thread);
        }
    }

    private void Run(FuseWorker worker)
    {
        _isWorker = true;
        worker.Run();
        lock (_lock)
        {
            _workers = [.. _workers.Where(other => other != worker)];
            worker.Dispose();
        }
    }

    private void Supervise()
    {
        while (!_stopping)
        {
            _starved.Wait();
            int calm = 0;
            while (calm < CalmTicks && !_stopping)
            {
                long before = Turns();
                _stopped.Wait(Tick);
                if (Volatile.Read(ref _idle) > 0)
                {
                    calm++;
                    continue;
                }

                calm = 0;
                // Each request is two turns.
                if (Turns() - before < 2L * SlowRequests * _workers.Length && _workers.Length < MaxThreads)
                {
                    try
                    {
                        Add(permanent: false, wakesAlways: false);
                    }
                    catch (DmException exception)
                    {
                        _server.Logger.LogWarning("{Sentence} ({Error}); {Count} threads go on", exception.Message, exception.Errno.Text(), _workers.Length);
                    }
                }
            }

            if (!_stopping)
            {
                _starved.Reset();
                if (Volatile.Read(ref _idle) == 0 || _stopping)
                {
                    _starved.Set(); // it happened between the last look and the reset
                }
            }
        }
    }

    private long Turns()
    {
        long turns = 0;
        foreach (FuseWorker worker in _workers)
        {
            turns += worker.Turn;
        }

        return turns;
    }
}
