using DeviceMapper.Io;
using DeviceMapper.Native;
using DeviceMapper.Nbd.Protocol;

namespace DeviceMapper.Nbd.Client;

/// <content>Connections: their loss, their return, and what waits meanwhile.</content>
internal sealed partial class NbdBackend
{
    private static readonly TimeSpan CloseLimit = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new(); // guards what follows; never held while a bio ends or something is sent
    private readonly List<RemoteRequest> _waiting = []; // for the server's return, in order
    private readonly ManualResetEventSlim _allEnded = new(true);
    private volatile Links _links = new([], 0);
    private int _running; // links whose thread has not ended
    private bool _expired; // the server has been lost for too long
    private bool _disposed;
    private bool _saidStale;
    private ITimer? _expiry;
    private Reconnection? _reconnection;

    /// <inheritdoc/>
    public override void Dispose()
    {
        NbdLink[] links;
        Reconnection? reconnection;
        lock (_lock)
        {
            _disposed = true;
            links = _links.All;
            _links = _links with { All = [] };
            reconnection = _reconnection;
            _expiry?.Dispose();
            _closedSince = _time.GetTimestamp(); // a doubt goes on: see PollDoubts
        }

        _overdue?.Dispose();
        reconnection?.Dispose();
        foreach (NbdLink link in links)
        {
            link.Close(politely: true);
        }

        _allEnded.Wait(CloseLimit);
    }

    void ILinkOwner.Lost(NbdLink link, string? why, List<RemoteRequest> unanswered)
    {
        NbdLink[] others = [];
        bool first = false;
        List<RemoteRequest> failed = [];
        lock (_lock)
        {
            if (!_disposed && _links.All.Contains(link))
            {
                first = true;
                others = _links.All;
                _links = _links with { All = [] };
                _expired = false;
                _expiry = _time.CreateTimer(_ => Expire(), null, _uri.ReconnectDelay, Timeout.InfiniteTimeSpan);
                _reconnection = new Reconnection(TryReconnect, _uri.Socket, _time);
            }

            foreach (RemoteRequest request in unanswered)
            {
                if (request.Changes)
                {
                    Doubt(request, link);
                }

                request.Again();
                request.IsReplay = true;
                (MayWait(request) ? _waiting : failed).Add(request);
            }
        }

        foreach (NbdLink other in others)
        {
            other.Close(politely: false);
        }

        PollDoubts(); // before the writes end: a server that is gone for good leaves none
        EndAll(failed);
        if (first)
        {
            _logger.ServerLost(_uri.Word, why ?? "the connection ended");
            StateChanged?.Invoke();
            _reconnection!.Start();
        }

        if (Interlocked.Decrement(ref _running) == 0)
        {
            _allEnded.Set();
        }
    }

    /// <summary>Sends a request, now or when the server is back; or ends it.</summary>
    private void Submit(RemoteRequest request)
    {
        while (true)
        {
            Links links = _links;
            if (_anyDoubt && Holds(request))
            {
                return;
            }

            request.Deadline = DeadlineOf(request);
            if (links.All.Length > 0 && MayGo(request, links) && Next(links.All).TrySend(request))
            {
                return;
            }

            lock (_lock)
            {
                if (_links != links)
                {
                    continue; // it is back meanwhile
                }

                if (MayWait(request))
                {
                    _waiting.Add(request);
                    return;
                }
            }

            End(request, LossStatus(request));
            return;
        }
    }

    private NbdLink Next(NbdLink[] links) => links[links.Length == 1 ? 0 : (int)(Interlocked.Increment(ref _turn) % (uint)links.Length)];

    private static bool MayGo(RemoteRequest request, Links links) =>
        request.Bio is not { Connection: not 0 } bio || bio.Connection == links.Connection;

    private bool MayWait(RemoteRequest request) =>
        !_disposed && !_expired && request.Bio is { } bio && (bio.Flags & (BioFlags.FailFast | BioFlags.NoWait)) == 0;

    private static BioStatus LossStatus(RemoteRequest request) =>
        request.Bio is { } bio && (bio.Flags & BioFlags.FailFast) != 0 ? BioStatus.Transport : BioStatus.IoError;

    private void EndAll(List<RemoteRequest> requests)
    {
        foreach (RemoteRequest request in requests)
        {
            End(request, LossStatus(request));
        }
    }

    private void Expire()
    {
        List<RemoteRequest> late;
        lock (_lock)
        {
            if (_links.All.Length > 0 || _disposed)
            {
                return;
            }

            _expired = true;
            late = [.. _waiting];
            _waiting.Clear();
        }

        _logger.ServerStaysLost(_uri.Word, late.Count, _uri.ReconnectDelay.TotalSeconds);
        EndAll(late);
    }

    private bool TryReconnect(CancellationToken cancellation)
    {
        try
        {
            Use(ConnectAll(_export, cancellation));
            _logger.ServerBack(_uri.Word);
            StateChanged?.Invoke();
            return true;
        }
        catch (DmException e)
        {
            if (e.Errno == Errno.ESTALE && !_saidStale)
            {
                _saidStale = true;
                _logger.ExportChanged(e.Message);
            }

            return false;
        }
    }

    /// <summary>Makes all connections, and checks that the export is what it was.</summary>
    /// <exception cref="DmException">One cannot be made, or the export has changed.</exception>
    private NbdLink[] ConnectAll(RemoteExport? before, CancellationToken cancellation)
    {
        List<NbdLink> links = [];
        try
        {
            int wanted = _uri.Connections;
            while (links.Count < wanted)
            {
                (NbdStream stream, RemoteExport export, int process) = _connector.Connect(cancellation);
                links.Add(new NbdLink(stream, export, process, this));
                if (before is not null && (before.Size, before.Flags, before.Least) != (export.Size, export.Flags, export.Least))
                {
                    throw new DmException(
                        Errno.ESTALE,
                        $"'{_uri.Word}': the export is another one than before: {export.Size} bytes with flags {export.Flags}, not {before.Size} with {before.Flags}");
                }

                before = _export = export;
                if (links.Count < wanted && !export.Has(NbdExportFlags.CanMultiConn))
                {
                    _logger.OneConnection(_uri.Word);
                    wanted = 1;
                }
            }

            return [.. links];
        }
        catch
        {
            CloseUnused([.. links]);
            throw;
        }
    }

    private void CloseUnused(NbdLink[] links)
    {
        foreach (NbdLink link in links)
        {
            link.CloseUnused();
        }
    }

    /// <summary>Uses connections that were made, and sends what waits for them.</summary>
    private void Use(NbdLink[] links)
    {
        List<RemoteRequest> waiting;
        bool disposed;
        lock (_lock)
        {
            disposed = _disposed;
            _expiry?.Dispose();
            waiting = [.. _waiting];
            if (!disposed)
            {
                _waiting.Clear();
                _running += links.Length;
                _allEnded.Reset();
                _links = new Links(links, _links.Connection + 1);
                _backSince = _time.GetTimestamp();
                _reconnection = null;
            }
        }

        if (disposed)
        {
            CloseUnused(links);
            return;
        }

        foreach (NbdLink link in links)
        {
            link.Start();
        }

        PollDoubts();
        StartTimingOut();
        foreach (RemoteRequest request in waiting)
        {
            Submit(request);
        }
    }

    /// <summary>All links, or none while the server is lost; and how many times there were some.</summary>
    private sealed record Links(NbdLink[] All, int Connection);
}
