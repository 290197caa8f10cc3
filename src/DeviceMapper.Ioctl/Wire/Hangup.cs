using System.Net.Sockets;

namespace DeviceMapper.Ioctl;

/// <summary>
/// Notices that a caller closes its connection while a call of its is carried out: the kernel's signal to a process that sleeps
/// in an ioctl.
/// </summary>
/// <remarks>It looks for data without taking it, so what comes next is still there for the next receive.</remarks>
internal sealed class Hangup : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly CancellationTokenSource _done = new();
    private readonly byte[] _peeked = new byte[1];
    private readonly Task _watch;

    /// <summary>Watches a socket from now on.</summary>
    /// <param name="socket">The caller's.</param>
    /// <param name="closed">Ends the call too.</param>
    public Hangup(Socket socket, CancellationToken closed)
    {
        _source = CancellationTokenSource.CreateLinkedTokenSource(closed);
        _watch = Watch(socket);
    }

    /// <summary>Cancelled when the caller has gone.</summary>
    public CancellationToken Token => _source.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        _done.Cancel();
        _watch.Wait();
        _done.Dispose();
        _source.Dispose();
    }

    private async Task Watch(Socket socket)
    {
        try
        {
            if (await socket.ReceiveAsync(_peeked, SocketFlags.Peek, _done.Token).ConfigureAwait(false) == 0)
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
