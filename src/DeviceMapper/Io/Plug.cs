namespace DeviceMapper.Io;

/// <summary>
/// Holds back what a thread has to tell others about each bio, until it has handled a group of them: a front end that has received many
/// requests at once plugs, and a backend then sends them on at once (the kernel's <c>blk_plug</c>).
/// </summary>
/// <remarks>A thread that plugged must call <see cref="Flush"/> before it waits for anything, and <see cref="Finish"/> in the end.</remarks>
public static class Plug
{
    [ThreadStatic]
    private static State? _state;

    /// <summary>From now on this thread's work is held back.</summary>
    public static void Start() => (_state ??= new State()).Depth++;

    /// <summary>Whether this thread has plugged: it has more to do than to wait for one bio.</summary>
    public static bool IsStarted => _state is { Depth: > 0 };

    /// <summary>Ends <see cref="Start"/>: what was held back is done.</summary>
    public static void Finish()
    {
        Flush();
        _state!.Depth--;
    }

    /// <summary>Does what has been held back so far.</summary>
    public static void Flush()
    {
        if (_state is { Count: > 0 } state)
        {
            state.Flush();
        }
    }

    /// <summary>Leaves work for later, where this thread has plugged.</summary>
    /// <returns>False where it has not: the work is to be done now.</returns>
    public static bool TryHold(IPlugged work)
    {
        if (_state is not { Depth: > 0 } state)
        {
            return false;
        }

        state.Add(work);
        return true;
    }

    private sealed class State
    {
        private IPlugged[] _held = new IPlugged[4];

        public int Depth;

        public int Count { get; private set; }

        public void Add(IPlugged work)
        {
            for (int i = 0; i < Count; i++)
            {
                if (_held[i] == work)
                {
                    return;
                }
            }

            if (Count == _held.Length)
            {
                Array.Resize(ref _held, 2 * Count);
            }

            _held[Count++] = work;
        }

        public void Flush()
        {
            // The work may lead to more.
            while (Count > 0)
            {
                IPlugged work = _held[--Count];
                _held[Count] = null!;
                work.Unplug();
            }
        }
    }
}

/// <summary>Work that a <see cref="Plug"/> holds back.</summary>
public interface IPlugged
{
    /// <summary>Does it: all that has come together by now. On the thread that plugged.</summary>
    void Unplug();
}
