using DeviceMapper.Native;

namespace DeviceMapper.Mapping;

/// <summary>
/// Values that are opened once for each key, counted, and closed with the last reference.
/// </summary>
/// <remarks>
/// Opening and closing may take seconds, so both happen outside the lock: a place holder stands in the set meanwhile, and only
/// a get of the same key waits for it. The lock guards the set and the fields of its entries, is held for a few
/// instructions, and nothing else is taken under it.
/// </remarks>
/// <typeparam name="TKey">What is the same.</typeparam>
/// <typeparam name="TValue">What is opened.</typeparam>
internal sealed class SharedOpens<TKey, TValue>
    where TKey : notnull
    where TValue : class
{
    private readonly Lock _lock = new();
    private readonly Dictionary<TKey, Entry> _entries = [];

    private enum State
    {
        Opening,
        Open,
        Closing,
        Gone,
    }

    /// <summary>How many stand in the set, with those that are being opened or closed.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _entries.Count;
            }
        }
    }

    /// <summary>What is open now, with its references.</summary>
    public IReadOnlyList<(TKey Key, TValue Value, int References)> Snapshot()
    {
        lock (_lock)
        {
            return [.. _entries.Where(e => e.Value.State == State.Open).Select(e => (e.Key, e.Value.Value!, e.Value.References))];
        }
    }

    /// <summary>
    /// Gives the value of a key another reference, opening it first where it is not there. A get that finds it being opened
    /// by another thread waits, and shares a failure; it tries itself where the other was merely cancelled.
    /// </summary>
    /// <param name="key">Which.</param>
    /// <param name="open">Opens it. What it throws leaves nothing behind, and is thrown to all that wait for it.</param>
    /// <param name="cancellation">Ends the wait for another thread, with EINTR.</param>
    /// <returns>The value, and whether this call opened it.</returns>
    public (TValue Value, bool Opened) Get(TKey key, Func<TValue> open, CancellationToken cancellation)
    {
        while (true)
        {
            Entry? entry;
            Task<Exception?>? settled;
            lock (_lock)
            {
                if (!_entries.TryGetValue(key, out entry))
                {
                    entry = new Entry();
                    _entries.Add(key, entry);
                    settled = null;
                }
                else if (entry.State == State.Open)
                {
                    entry.References++;
                    return (entry.Value!, false);
                }
                else
                {
                    settled = entry.State == State.Opening ? entry.Opened.Task : entry.Closed.Task;
                }
            }

            if (settled is null)
            {
                return (Open(key, entry, open), true);
            }

            if (WaitFor(settled, cancellation) is { } failure)
            {
                throw failure is DmException refusal ? new DmException(refusal.Errno, refusal.Message, refusal) : failure;
            }
        }
    }

    /// <summary>
    /// Drops a reference. With the last one the value is closed before this returns; what a close throws is thrown
    /// after the value was forgotten.
    /// </summary>
    public void Put(TKey key, Action<TValue> close)
    {
        Entry entry;
        lock (_lock)
        {
            entry = _entries[key];
            if (--entry.References > 0)
            {
                return;
            }

            entry.State = State.Closing;
        }

        try
        {
            close(entry.Value!);
        }
        finally
        {
            Forget(key, entry);
            entry.Closed.SetResult(null);
        }
    }

    private TValue Open(TKey key, Entry entry, Func<TValue> open)
    {
        TValue value;
        try
        {
            value = open();
        }
        catch (Exception e)
        {
            bool cancelled = e is OperationCanceledException or DmException { Errno: Errno.EINTR };
            Forget(key, entry);
            entry.Opened.SetResult(cancelled ? null : e);
            throw;
        }

        lock (_lock)
        {
            entry.Value = value;
            entry.State = State.Open;
        }

        entry.Opened.SetResult(null);
        return value;
    }

    private void Forget(TKey key, Entry entry)
    {
        lock (_lock)
        {
            entry.State = State.Gone;
            _entries.Remove(key);
        }
    }

    /// <summary>Waits for another thread's open or close.</summary>
    /// <returns>Why the open failed, or null: the set is to be looked at again.</returns>
    private static Exception? WaitFor(Task<Exception?> settled, CancellationToken cancellation)
    {
        try
        {
            settled.Wait(cancellation);
            return settled.Result;
        }
        catch (OperationCanceledException)
        {
            throw new DmException(Errno.EINTR, "gave up waiting for another open or close of the same device");
        }
    }

    private sealed class Entry
    {
        /// <summary>Ends with the open: why it failed, or null.</summary>
        public readonly TaskCompletionSource<Exception?> Opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Ends with the close.</summary>
        public readonly TaskCompletionSource<Exception?> Closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public State State;
        public int References = 1;
        public TValue? Value;
    }
}
