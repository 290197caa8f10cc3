namespace DeviceMapper.Nbd.Server;

/// <summary>
/// Decides whether a connection's thread pauses for a moment before it receives. Where a client keeps many requests under way and is no
/// faster than we are, we are woken for each request by itself: the wake costs the client more than the request, and each receive
/// finds one request only. While we pause the client wakes nobody, and the next receive finds many (what network cards do as
/// interrupt moderation). Where a client keeps few requests under way, or processors are short, a pause only costs time. Nobody
/// knows beforehand, so the other way is tried now and then, for a moment, and the one that serves more requests a second is kept.
/// </summary>
/// <remarks>Times are of a clock in microseconds, which the caller brings.</remarks>
internal sealed class ReceivePauses
{
    private const long PeriodLength = 10_000; // microseconds
    private const int PeriodsBetweenTrials = 50;
    private const int TrialPeriods = 3; // of which the first does not count
    private const double Better = 1.08; // so much faster the other way must be
    private const double LeastRate = 0.02; // requests a microsecond; a slower client is served as soon as it asks
    private const double LargestGroup = 8; // requests in a receive; with more the wakes cost little

    private long _periodStart;
    private int _periodRequests;
    private int _periodReceives;
    private int _periods; // since the last trial, or of this one
    private bool _trying;
    private bool _chosen;
    private double _rate; // of the chosen way, a moving mean

    /// <summary>Whether to pause now.</summary>
    public bool Pauses => _chosen != _trying;

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
        if (rate < LeastRate)
        {
            _chosen = _trying = false;
            _periods = PeriodsBetweenTrials; // a client that becomes busy is tried at once
            _rate = 0;
        }
        else if (_trying)
        {
            EndTrialPeriod(rate);
        }
        else
        {
            _rate = _rate == 0 ? rate : (0.8 * _rate) + (0.2 * rate);
            bool worthwhile = _chosen || group is > 1.1 and < LargestGroup;
            if (_periods > PeriodsBetweenTrials && worthwhile)
            {
                _trying = true;
                _periods = 0;
            }
        }
    }

    private void EndTrialPeriod(double rate)
    {
        if (_periods == 1)
        {
            return;
        }

        if (rate < _rate * Better)
        {
            _trying = false;
            _periods = 0;
        }
        else if (_periods == TrialPeriods)
        {
            _chosen = !_chosen;
            _trying = false;
            _periods = 0;
            _rate = rate;
        }
    }
}
