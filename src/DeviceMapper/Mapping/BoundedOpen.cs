using System.Runtime.ExceptionServices;
using DeviceMapper.Backends;
using DeviceMapper.Native;

namespace DeviceMapper.Mapping;

/// <summary>
/// Runs the steps of an open within one time limit, and until the caller goes away. A step that hangs in a system call cannot be
/// stopped, only left: whatever it brings in the end is closed at once.
/// </summary>
internal sealed class BoundedOpen(TimeSpan timeout, TimeProvider time, CancellationToken caller) : IDisposable
{
    private readonly CancellationTokenSource _timeout = new(timeout, time);

    /// <summary>Runs a step.</summary>
    /// <param name="spec">What is opened; one that cannot hang is opened on this thread.</param>
    /// <param name="step">The step; should end with its token.</param>
    /// <param name="discard">Closes a result that comes too late.</param>
    /// <exception cref="DmException">ETIMEDOUT or EINTR, or what the step threw.</exception>
    public T Run<T>(DeviceSpec spec, Func<CancellationToken, T> step, Action<T> discard)
        where T : class
    {
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(caller, _timeout.Token);
        ThrowIfOver(spec);
        CancellationToken token = either.Token;
        try
        {
            return spec.MayHang ? new Step<T>(() => step(token), discard).Wait(token) : step(token);
        }
        catch (Exception e) when (e is OperationCanceledException or DmException { Errno: Errno.EINTR })
        {
            ThrowIfOver(spec); // says which of the two ended it
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _timeout.Dispose();

    private void ThrowIfOver(DeviceSpec spec)
    {
        if (caller.IsCancellationRequested)
        {
            throw new DmException(Errno.EINTR, $"'{spec.Name}': the caller went away while it was being opened");
        }

        if (_timeout.IsCancellationRequested)
        {
            throw new DmException(Errno.ETIMEDOUT, $"'{spec.Name}': opening it took longer than {timeout.TotalSeconds:0.###} s");
        }
    }

    /// <summary>A step on a thread of its own: a thread of the pool that hangs would be missing elsewhere.</summary>
    private sealed class Step<T>
        where T : class
    {
        private readonly TaskCompletionSource<T> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Action<T> _discard;

        public Step(Func<T> step, Action<T> discard)
        {
            _discard = discard;
            new Thread(() => Work(step)) { IsBackground = true, Name = "udm-open" }.Start();
        }

        /// <summary>Waits for the result; once the wait is given up, the result is discarded when it comes.</summary>
        public T Wait(CancellationToken cancellation)
        {
            try
            {
                _result.Task.Wait(cancellation);
                return _result.Task.Result;
            }
            catch (OperationCanceledException)
            {
                _result.Task.ContinueWith(
                    late => _discard(late.Result),
                    CancellationToken.None,
                    TaskContinuationOptions.OnlyOnRanToCompletion | TaskContinuationOptions.ExecuteSynchronously,
                    TaskScheduler.Default);
                throw;
            }
            catch (AggregateException e)
            {
                ExceptionDispatchInfo.Throw(e.InnerException!);
                throw;
            }
        }

        private void Work(Func<T> step)
        {
            try
            {
                _result.SetResult(step());
            }
            catch (Exception e)
            {
                _result.SetException(e);
            }
        }
    }
}
