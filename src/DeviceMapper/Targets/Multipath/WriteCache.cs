namespace DeviceMapper.Targets.Multipath;

/// <summary>A write cache that some of the paths share (<see cref="Backends.Backend.CacheDomain"/>), and what became of the writes in it.</summary>
/// <param name="domain">The word of its backends; null where these are not open yet, or promise that all share it.</param>
internal sealed class WriteCache(string? domain)
{
    private volatile State _state;

    private enum State
    {
        Clean,
        Written,
        Lost,
    }

    /// <summary>The word of its backends.</summary>
    public string? Domain => domain;

    /// <summary>A write was acknowledged that may be in it.</summary>
    public void Wrote()
    {
        if (_state == State.Clean)
        {
            _state = State.Written;
        }
    }

    /// <summary>A flush is about to be sent to it: writes that are acknowledged from now on are not in that.</summary>
    public void Flushing() => _state = State.Clean;

    /// <summary>Its last path has failed: what was written since the last flush may be lost.</summary>
    public void Lose()
    {
        if (_state == State.Written)
        {
            _state = State.Lost;
        }
    }

    /// <summary>Whether writes may have been lost since this was asked last.</summary>
    public bool TakeLoss()
    {
        if (_state != State.Lost)
        {
            return false;
        }

        _state = State.Clean;
        return true;
    }
}
