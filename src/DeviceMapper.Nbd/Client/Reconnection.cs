using DeviceMapper.Native;

namespace DeviceMapper.Nbd.Client;

/// <summary>
/// Tries to reach a lost server again, on a thread of its own: every 200 ms at first, every second later, with jitter; and at once when
/// something happens in the folder of its Unix socket.
/// </summary>
internal sealed class Reconnection : IDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly Func<CancellationToken, bool> _attempt;
    private readonly TimeProvider _time;
    private readonly string? _folder;
    private readonly CancellationTokenSource _stop = new();
    private readonly AutoResetEvent _wake = new(false);

    /// <summary>Prepares it.</summary>
    /// <param name="attempt">Tries; true when it has succeeded. Ends with its token.</param>
    /// <param name="socket">The path of the server's socket, or null.</param>
    /// <param name="time">The clock.</param>
    public Reconnection(Func<CancellationToken, bool> attempt, string? socket, TimeProvider time)
    {
        _attempt = attempt;
        _time = time;
        _folder = socket is null ? null : Path.GetDirectoryName(Path.GetFullPath(socket));
    }

    /// <summary>Starts to try.</summary>
    public void Start() => new Thread(Run, 256 << 10) { IsBackground = true, Name = "nbd reconnects" }.Start();

    /// <summary>Gives up. Does not wait for an attempt that is under way.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        _wake.Set();
    }

    private void Run()
    {
        using FileSystemWatcher? watcher = Watch();
        TimeSpan pause = FirstPause;
        while (!_stop.IsCancellationRequested && !_attempt(_stop.Token))
        {
            TimeSpan jittered = pause * (0.75 + (Random.Shared.NextDouble() / 2));
            using (_time.CreateTimer(_ => _wake.Set(), null, jittered, Timeout.InfiniteTimeSpan))
            {
                _wake.WaitOne();
            }

            pause = pause * 1.25 < LongestPause ? pause * 1.25 : LongestPause;
        }
    }

    private FileSystemWatcher? Watch()
    {
        if (_folder is null || !Directory.Exists(_folder))
        {
            return null;
        }

        try
        {
            FileSystemWatcher watcher = new(_folder) { NotifyFilter = NotifyFilters.FileName | NotifyFilters.Attributes };
            watcher.Created += (_, _) => _wake.Set();
            watcher.Changed += (_, _) => _wake.Set();
            watcher.Renamed += (_, _) => _wake.Set();
            watcher.EnableRaisingEvents = true;
            return watcher;
        }
        catch (IOException)
        {
            return null; // too many watches: the attempts go on without
        }
    }
}
