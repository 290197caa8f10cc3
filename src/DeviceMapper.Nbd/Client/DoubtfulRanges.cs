namespace DeviceMapper.Nbd.Client;

/// <summary>
/// Ranges of which a write was sent on a connection that was lost: until the server has surely done with that connection, a later
/// write to them could be overtaken by the earlier one, and has to wait. Guarded by the backend's lock.
/// </summary>
internal sealed class DoubtfulRanges
{
    private readonly List<(ulong Start, ulong End)> _ranges = [];
    private readonly HashSet<int> _processes = [];
    private bool _unknownServer;

    /// <summary>Whether there are any.</summary>
    public bool Any => _ranges.Count > 0;

    /// <summary>Whether the processes that could still write them are all known, and gone.</summary>
    public bool IsOver => !_unknownServer && _processes.All(PeerProcess.IsGone);

    /// <summary>Whether one of those processes is stopped, as by SIGSTOP.</summary>
    public bool IsAnyStopped => _processes.Any(PeerProcess.IsStopped);

    /// <summary>A write was sent, and has no answer.</summary>
    /// <param name="request">The write.</param>
    /// <param name="process">The server's process, 0 where it is not known.</param>
    public void Add(RemoteRequest request, int process)
    {
        _ranges.Add((request.Offset, request.Offset + request.Length));
        _unknownServer |= process == 0;
        _processes.Add(process);
    }

    /// <summary>Whether a request would change any of them.</summary>
    public bool Overlap(RemoteRequest request) =>
        request.Changes && _ranges.Exists(range => request.Offset < range.End && range.Start < request.Offset + request.Length);

    /// <summary>They are in doubt no more.</summary>
    public void Clear()
    {
        _ranges.Clear();
        _processes.Clear();
        _unknownServer = false;
    }
}
