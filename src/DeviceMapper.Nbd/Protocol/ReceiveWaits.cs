namespace DeviceMapper.Nbd.Protocol;

/// <summary>What a connection's thread does when it has answered all requests.</summary>
internal enum ReceiveWait
{
    /// <summary>It sleeps until a request comes: the least processor time where nobody else is in a hurry.</summary>
    Sleep,

    /// <summary>It first lets others run on its processor and looks again, twice: a client that waited there has asked by then, and nobody had to be woken.</summary>
    Yield,

    /// <summary>It looks for some ten microseconds, letting others run in between: a client on another processor gets its answer without a wake.</summary>
    Poll,

    /// <summary>It sleeps for the shortest time that a timer gives: a client with many requests under way wakes nobody meanwhile, and the next receive finds many.</summary>
    Pause,
}

/// <summary>
/// Chooses how a connection's thread waits for requests; or a client's for replies, which are called requests here. Waking a sleeping
/// thread costs both sides more than a small request does, and the ways around it each help in one case and harm in another: by how many
/// requests the client keeps under way, on whose processor it runs, and who else wants that processor. Nobody knows beforehand, so the other
/// ways are tried now and then, for a moment, and the one that serves more requests a second is kept.
/// </summary>
/// <remarks>Times are of a clock in microseconds, which the caller brings.</remarks>
internal sealed class ReceiveWaits
{
    private const long PeriodLength = 10_000; // microseconds
    private const int FirstRest = 20; // periods between rounds of trials; twice as many after each round that changed nothing
    private const int LongestRest = 160;
    private const int TrialPeriods = 3; // of which the first does not count
    private const double Better = 1.12; // so much better another way must be, by its rate over its price
    private const double LeastRate = 0.001; // requests a microsecond; a slower client is served as soon as it asks
    private const double LeastPauseRate = 0.02;
    private const double LargestGroup = 8; // requests in a receive; with more the wakes cost little

    // Their rates are divided by this. Polling takes processor time that might be another's. A connection that sleeps among others that yield is served
    // before them, while all of them would be served faster if it did as they do.
    private static readonly double[] _prices = [1.1, 1, 1.1, 1];

    private long _periodStart;
    private int _periodRequests;
    private int _periodReceives;
    private int _periods; // of this trial, or of the rest since the last one
    private int _rest = 1; // periods before the next round
    private int _next; // the way to be tried next; past the last one when the round is over
    private bool _changed; // in this round
    private bool _trying;
    private ReceiveWait _chosen;
    private double _trialRate; // of the periods that count, the sum
    private double _rate; // of the chosen way, a moving mean

    /// <summary>How to wait now.</summary>
    public ReceiveWait Now => _trying ? (ReceiveWait)_next : _chosen;

    /// <summary>Some requests have been received together and handled.</summary>
    public void Handled(long requests, long now)
    {
        _periodRequests += (int)requests;
        _periodReceives++;
        if (now - _periodStart >= PeriodLength)
        {
            EndPeriod(now);
        }
    }

    private void EndPeriod(long now)
    {
        double rate = (double)_periodRequests / (now - _periodStart);
        double group = (double)_periodRequests / _periodReceives;
        _periodStart = now;
        _periodRequests = _periodReceives = 0;
        _periods++;
        if (_trying)
        {
            EndTrialPeriod(rate);
        }
        else if (rate < LeastRate)
        {
            _chosen = ReceiveWait.Sleep;
            _periods = _next = 0;
            _rest = 1; // the ways are tried as soon as a client becomes busy
            _rate = 0;
        }
        else
        {
            _rate = _rate == 0 ? rate : (0.8 * _rate) + (0.2 * rate);
            if (_periods > (_next == 0 ? _rest : 1))
            {
                StartTrial(rate, group);
            }
        }
    }

    private void StartTrial(double rate, double group)
    {
        bool pauses = _chosen == ReceiveWait.Pause || (group is > 1.02 and < LargestGroup && rate >= LeastPauseRate);
        while (_next < _prices.Length && (_next == (int)_chosen || (_next == (int)ReceiveWait.Pause && !pauses)))
        {
            _next++;
        }

        _periods = 0;
        _trying = _next < _prices.Length;
        if (!_trying)
        {
            _next = 0;
            _rest = _changed ? FirstRest : Math.Clamp(_rest * 2, FirstRest, LongestRest);
            _changed = false;
        }
    }

    private void EndTrialPeriod(double rate)
    {
        if (_periods == 1)
        {
            _trialRate = 0;
            if (rate < _rate / 2)
            {
                EndTrial(); // it harms: no more of it
            }

            return;
        }

        _trialRate += rate;
        if (_periods < TrialPeriods)
        {
            return;
        }

        double mean = _trialRate / (TrialPeriods - 1);
        if (mean / _prices[_next] > _rate / _prices[(int)_chosen] * Better)
        {
            _chosen = (ReceiveWait)_next;
            _changed = true;
            _rate = mean;
        }

        EndTrial();
    }

    private void EndTrial()
    {
        _trying = false;
        _periods = 0;
        _next++;
    }
}
