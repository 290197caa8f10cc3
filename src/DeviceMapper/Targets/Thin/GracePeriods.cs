using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Thin;

/// <summary>
/// Tells when all bios that were on their way at some moment have ended (the part of the kernel's deferred sets), at the cost of two plain writes
/// a bio: each thread counts by itself, in one of two counters.
/// </summary>
/// <remarks>
/// A period flips new bios to the other counter and waits for the first to be zero, twice: a thread may read which counter is current, and
/// count there only after the flip. Such a thread sees whatever was locked before the period began. Periods are run by one thread, the pool's.
/// </remarks>
internal sealed class GracePeriods(Action wake)
{
    private readonly InFlightCounter[] _counters = [new(), new()];
    private List<Action> _waiting = []; // for the next period
    private List<Action> _running = [];
    private volatile int _current;
    private volatile bool _inPeriod;
    private int _flips;

    /// <summary>Whether a period is under way.</summary>
    public bool InPeriod => _inPeriod;

    /// <summary>A bio comes.</summary>
    /// <returns>To be given to <see cref="Exit"/>.</returns>
    public int Enter(BioThread thread)
    {
        int counter = _current;
        _counters[counter].Enter(thread);
        return counter;
    }

    /// <summary>A bio has ended, or is kept.</summary>
    public void Exit(BioThread thread, int counter)
    {
        _counters[counter].Undo(thread); // both of the counts of an Enter
        if (_inPeriod)
        {
            wake();
        }
    }

    /// <summary>Has something called when all bios that are on their way now have ended.</summary>
    public void Request(Action done) => _waiting.Add(done);

    /// <summary>Goes on with a period, if it can.</summary>
    public void Advance()
    {
        while (true)
        {
            if (!_inPeriod)
            {
                if (_waiting.Count == 0)
                {
                    return;
                }

                (_running, _waiting) = (_waiting, []);
                _inPeriod = true;
                _flips = 0;
                Flip();
            }

            if (_counters[1 - _current].Sum() != 0)
            {
                return;
            }

            if (_flips < 2)
            {
                Flip();
                continue;
            }

            _inPeriod = false;
            foreach (Action done in _running)
            {
                done();
            }
        }
    }

    private void Flip()
    {
        _flips++;
        _current = 1 - _current;
        Interlocked.MemoryBarrierProcessWide(); // the other half of Enter and Exit
    }
}
