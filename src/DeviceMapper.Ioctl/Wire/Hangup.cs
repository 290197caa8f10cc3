using System.Net.Sockets;

namespace DeviceMapper.Ioctl;

/// <summary>
/// Notices that a caller closes its connection while a call of its is carried out: the kernel's signal to a process that sleeps
/// in an ioctl.
/// </summary>
/// <remarks>
/// It looks for data without taking it, so what comes next is still there for the next receive. Most calls are over at once, and to look
/// costs more than they do: it begins after a moment. It is made once for a connection: a timer set anew costs a fraction of a new one.
/// </remarks>
internal sealed class Hangup : IDisposable
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(5);

    private readonly Socket _socket;
    private readonly Lock _lock = new(); // guards the beginning of a watch against its end
    private readonly Timer _begin;
    private readonly CancellationTokenSource _gone;
    private readonly byte[] _peeked = new byte[1];
    private CancellationTokenSource? _done; // of the watch
    private Task? _watch;
    private bool _isCalled;

    /// <summary>Watches nothing yet.</summary>
    /// <param name="socket">The caller's.</param>
    /// <param name="closed">Ends its calls too.</param>
    public Hangup(Socket socket, CancellationToken closed)
    {
        _socket = socket;
        _gone = CancellationTokenSource.CreateLinkedTokenSource(closed);
        _begin = new Timer(_ => BeginWatch());
    }

    /// <summary>Cancelled when the caller has gone.</summary>
    public CancellationToken Token => _gone.Token;

    /// <summary>A call begins.</summary>
    public void Begin()
    {
        lock (_lock)
        {
            _isCalled = true;
        }

        _begin.Change(Moment, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The call is over.</summary>
    public void End()
    {
        _begin.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        lock (_lock)
        {
            _isCalled = false;
        }

        if (_watch is not null)
        {
            _done!.Cancel();
            _watch.Wait();
            _done.Dispose();
            (_watch, _done) = (null, null);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _begin.Dispose();
        _gone.Dispose();
    }

    private void BeginWatch()
    {
        lock (_lock)
        {
            if (_isCalled && _watch is null) // else this comes late, perhaps within the next call
            {
                _done = new CancellationTokenSource();
                _watch = Watch(_done.Token);
            }
        }
    }

    private async Task Watch(CancellationToken done)
    {
        try
        {
            if (await _socket.ReceiveAsync(_peeked, SocketFlags.Peek, done).ConfigureAwait(false) == 0)
            {
                await _gone.CancelAsync().ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The call is over.
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            await _gone.CancelAsync().ConfigureAwait(false);
        }
    }
}
