using DeviceMapper.Nbd.Server.Commands;

namespace DeviceMapper.Nbd.Server;

/// <summary>
/// Threads of one connection that wait for a disk in place of the connection's own, so that many reads and writes of one client are under
/// way at once. There are none until a request has to wait, and none any more after ten idle seconds.
/// </summary>
internal sealed class Waiters : IDisposable
{
    /// <summary>The most threads; with more, disks get no faster.</summary>
    public const int MaxThreads = 32;

    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(10);

    private readonly object _lock = new(); // guards what follows; pulsed for each command
    private readonly Queue<Command> _commands = new();
    private int _threads;
    private int _idle;
    private bool _closed;

    /// <summary>Hands over a command: its bios are submitted by one of the threads.</summary>
    public void Take(Command command)
    {
        lock (_lock)
        {
            _commands.Enqueue(command);
            if (_commands.Count > _idle && _threads < MaxThreads)
            {
                _threads++;
                new Thread(Run, 256 << 10) { IsBackground = true, Name = "nbd waits" }.Start();
            }
            else
            {
                Monitor.Pulse(_lock);
            }
        }
    }

    /// <summary>Ends the threads. No command is under way.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _closed = true;
            Monitor.PulseAll(_lock);
        }
    }

    private void Run()
    {
        while (Next() is { } command)
        {
            command.Submit();
        }
    }

    private Command? Next()
    {
        lock (_lock)
        {
            Command? command;
            while (!_commands.TryDequeue(out command))
            {
                _idle++;
                bool pulsed = !_closed && Monitor.Wait(_lock, Idle);
                _idle--;
                if (!pulsed && _commands.Count == 0)
                {
                    _threads--;
                    return null;
                }
            }

            return command;
        }
    }
}
