using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Multipath;

/// <content>Paths that could not be opened when the table was loaded (<c>allow_dead_paths</c>): they are tried until they can be.</content>
public sealed partial class MultipathTarget
{
    private const int OpensAtOnce = 8; // in the process: each may take a thread for seconds

    private static readonly TimeSpan _firstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan _longestPause = TimeSpan.FromSeconds(1);
    private static readonly SemaphoreSlim _opens = new(OpensAtOnce);

    private readonly CancellationTokenSource _stopOpening = new();
    private Task _opening = Task.CompletedTask;

    private void OpenDeadPaths() => _opening = Task.WhenAll(_paths.Where(p => p.Device is null).Select(OpenWhenItIsThere));

    private void StopOpening()
    {
        _stopOpening.Cancel();
        _opening.Wait();
        _stopOpening.Dispose();
    }

    private async Task OpenWhenItIsThere(MultipathPath path)
    {
        TimeSpan pause = _firstPause;
        try
        {
            while (true)
            {
                await Task.Delay(pause * (0.75 + (Random.Shared.NextDouble() / 2)), _time, _stopOpening.Token).ConfigureAwait(false);
                await _opens.WaitAsync(_stopOpening.Token).ConfigureAwait(false);
                try
                {
                    if (await Task.Run(() => TryOpen(path)).ConfigureAwait(false))
                    {
                        return;
                    }
                }
                finally
                {
                    _opens.Release();
                }

                pause = pause * 2 < _longestPause ? pause * 2 : _longestPause;
            }
        }
        catch (OperationCanceledException)
        {
            // The table is being destroyed.
        }
    }

    private bool TryOpen(MultipathPath path)
    {
        DeviceReference device;
        try
        {
            device = Table.GetDeviceLate(path.Word, _stopOpening.Token);
        }
        catch (DmException e)
        {
            path.Reason = e.Message;
            return false;
        }

        if (Misfit(device) is { } reason)
        {
            path.Reason = reason;
            Table.PutDeviceLate(device);
            return false;
        }

        lock (_lock)
        {
            path.Device = device;
            path.Cache = _caches.Length > 0 ? CacheOf(path) : null;
        }

        Watch(path);
        if (path.Failure == PathFailure.Dead)
        {
            ReinstateIfSame(path, "it could be opened");
        }

        return true;
    }

    /// <summary>What the load or the swap would have refused.</summary>
    private string? Misfit(DeviceReference device) =>
        device.Device.Size < Length ? $"it has {device.Device.Size} sectors, too few for {Length}"
        : device.Device.Limits.LogicalBlockSize > Table.Limits.LogicalBlockSize
            ? $"its logical block of {device.Device.Limits.LogicalBlockSize} bytes is larger than the {Table.Limits.LogicalBlockSize} that the mapped device says"
        : null;
}
