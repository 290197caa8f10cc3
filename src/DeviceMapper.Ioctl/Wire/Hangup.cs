using System.Net.Sockets;

namespace DeviceMapper.Ioctl;

/// <summary>
/// Notices that a caller closes its connection while a call of its is carried out: the kernel's signal to a process that sleeps
/// in an ioctl.
/// </summary>
/// <remarks>
/// It looks for data without taking it, so what comes next is still there for the next receive. Most calls are over at once, and to look
/// costs more than they do: it begins after a moment.
/// </remarks>
internal sealed class Hangup : IDisposable
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(5);

    private readonly Socket _socket;
    private readonly Lock _lock = new(); // guards the beginning of the watch against its end
    private readonly Timer _begin;
    private readonly CancellationTokenSource _source;
    private readonly CancellationTokenSource _done = new();
    private readonly byte[] _peeked = new byte[1];
    private Task? _watch;
    private bool _over;

    /// <summary>Watches a socket from now on.</summary>
    /// <param name="socket">The caller's.</param>
    /// <param name="closed">Ends the call too.</param>
    public Hangup(Socket socket, CancellationToken closed)
    {
        _socket = socket;
        _source = CancellationTokenSource.CreateLinkedTokenSource(closed);
        _begin = new Timer(static hangup => ((Hangup)hangup!).Begin(), this, Moment, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Cancelled when the caller has gone.</summary>
    public CancellationToken Token => _source.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        _begin.Dispose();
        lock (_lock)
        {
            _over = true;
        }

        if (_watch is not null)
        {
            _done.Cancel();
            _watch.Wait();
        }

        _done.Dispose();
        _source.Dispose();
    }

    private void Begin()
    {
        lock (_lock)
        {
            if (!_over)
            {
                _watch = Watch();
            }
        }
    }

    private async Task Watch()
    {
        try
        {
            if (await _socket.ReceiveAsync(_peeked, SocketFlags.Peek, _done.Token).ConfigureAwait(false) == 0)
            {
                await _source.CancelAsync().ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The call is over.
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            await _source.CancelAsync().ConfigureAwait(false);
        }
    }
}
