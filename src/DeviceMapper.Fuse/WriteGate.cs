namespace DeviceMapper.Fuse;

/// <summary>Something that a <see cref="WriteGate"/> lets in, now or later.</summary>
internal interface IGateEntrant
{
    /// <summary>Called with the gate held, as entered; ends by the gate's exit.</summary>
    void Enter();

    /// <summary>Link of the gate's queue.</summary>
    IGateEntrant? NextEntrant { get; set; }

    /// <summary>Whether it must be alone.</summary>
    bool IsExclusive { get; }
}

/// <summary>
/// Keeps the writes of one device from undoing each other: a write of less than whole blocks reads them, changes them and
/// writes them back, so no other write may happen in between. What a block device's page cache does with the lock
/// of a page. Whole-block writes share the gate and only count themselves; nobody waits on a thread.
/// </summary>
internal sealed class WriteGate
{
    private readonly Lock _lock = new();
    private int _shared; // those inside that share; moved without the lock while nobody waits
    private volatile bool _closed; // somebody exclusive is inside or queued: all go through the lock
    private bool _exclusiveInside;
    private IGateEntrant? _first;
    private IGateEntrant? _last;

    /// <summary>Enters at once, or is queued, in order, and enters when its turn comes.</summary>
    public void Enter(IGateEntrant entrant)
    {
        if (!entrant.IsExclusive)
        {
            Interlocked.Increment(ref _shared); // a full fence: either we see the gate closed, or who closes it sees us
            if (!_closed)
            {
                entrant.Enter();
                return;
            }

            Enqueue(entrant);
            Exit(exclusive: false); // what was counted in haste
            return;
        }

        Enqueue(entrant);
        LetIn();
    }

    /// <summary>Leaves, and lets in who waits.</summary>
    public void Exit(bool exclusive)
    {
        if (exclusive)
        {
            lock (_lock)
            {
                _exclusiveInside = false;
            }

            LetIn();
        }
        else
        {
            Interlocked.Decrement(ref _shared); // a full fence, as in Enter
            if (_closed)
            {
                LetIn();
            }
        }
    }

    private void Enqueue(IGateEntrant entrant)
    {
        lock (_lock)
        {
            entrant.NextEntrant = null;
            if (_last is null)
            {
                _first = entrant;
            }
            else
            {
                _last.NextEntrant = entrant;
            }

            _last = entrant;
            _closed = true;
        }

        Interlocked.MemoryBarrier();
    }

    private void LetIn()
    {
        while (true)
        {
            IGateEntrant entrant;
            lock (_lock)
            {
                if (_exclusiveInside)
                {
                    return;
                }

                if (_first is null)
                {
                    _closed = false;
                    return;
                }

                if (_first.IsExclusive)
                {
                    // Whoever counts itself from now on sees the gate closed, and takes its count back.
                    if (Volatile.Read(ref _shared) != 0)
                    {
                        return;
                    }

                    _exclusiveInside = true;
                }
                else
                {
                    Interlocked.Increment(ref _shared);
                }

                entrant = _first;
                _first = entrant.NextEntrant;
                if (_first is null)
                {
                    _last = null;
                }

                entrant.NextEntrant = null;
            }

            entrant.Enter();
        }
    }
}
