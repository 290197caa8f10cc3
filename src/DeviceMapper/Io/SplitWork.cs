namespace DeviceMapper.Io;

/// <summary>
/// Work on the data of a large bio, in parts that the submitting thread and a few helping threads take one after the other;
/// who does the last part ends it. Pooled by its users: starting it allocates nothing.
/// </summary>
internal abstract class SplitWork
{
    private static readonly Lazy<Helpers> _helpers = new(() => new Helpers(Environment.ProcessorCount - 1));

    private int _parts;
    private int _next;
    private int _left; // parts that are not done
    private int _holders; // helpers that may still look at it, plus one until the last part is done

    /// <summary>Does a part.</summary>
    protected abstract void Do(int part);

    /// <summary>All parts are done. Called once, by the thread that did the last.</summary>
    protected abstract void Finish();

    /// <summary>No thread looks at it any more: it may be used again. Called once, after <see cref="Finish"/>, or by a late helper.</summary>
    protected abstract void Recycle();

    /// <summary>Does all parts. Returns when there are none left to take; others may still be at work on theirs.</summary>
    protected void Start(int parts)
    {
        Helpers helpers = _helpers.Value;
        int calls = Math.Min(parts - 1, helpers.Count);
        _parts = parts;
        _left = parts;
        _next = 0;
        _holders = calls + 1;
        if (calls > 0)
        {
            helpers.Call(this, calls);
        }

        if (TakeParts())
        {
            Release();
        }
    }

    /// <summary>Takes parts while there are any.</summary>
    /// <returns>Whether this thread did the last, and so ended the work.</returns>
    private bool TakeParts()
    {
        for (int part = Interlocked.Increment(ref _next) - 1; part < _parts; part = Interlocked.Increment(ref _next) - 1)
        {
            Do(part);
            if (Interlocked.Decrement(ref _left) == 0)
            {
                Finish();
                return true;
            }
        }

        return false;
    }

    private void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            Recycle();
        }
    }

    /// <summary>The helping threads: one fewer than processors.</summary>
    private sealed class Helpers
    {
        private readonly Queue<SplitWork> _calls = new(1024); // also its lock

        public Helpers(int count)
        {
            Count = count;
            for (int i = 0; i < count; i++)
            {
                new Thread(Help) { IsBackground = true, Name = "udm-split" }.Start();
            }
        }

        public int Count { get; }

        public void Call(SplitWork work, int times)
        {
            lock (_calls)
            {
                for (int i = 0; i < times; i++)
                {
                    _calls.Enqueue(work);
                    Monitor.Pulse(_calls);
                }
            }
        }

        private void Help()
        {
            while (true)
            {
                SplitWork? work;
                lock (_calls)
                {
                    while (!_calls.TryDequeue(out work))
                    {
                        Monitor.Wait(_calls);
                    }
                }

                if (work.TakeParts())
                {
                    work.Release(); // the last part's hold, besides this helper's own
                }

                work.Release();
            }
        }
    }
}
