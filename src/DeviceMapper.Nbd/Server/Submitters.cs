using DeviceMapper.Io;
using DeviceMapper.Nbd.Server.Commands;

namespace DeviceMapper.Nbd.Server;

/// <summary>
/// Threads of one connection that submit commands in place of the connection's own, so that many reads and writes of one client wait for a disk
/// at once, or are copied at once. There are none until there is a command for them, and none any more after ten idle seconds.
/// </summary>
/// <param name="maxThreads">The most threads.</param>
internal sealed class Submitters(int maxThreads) : IDisposable
{
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
            if (_commands.Count > _idle && _threads < maxThreads)
            {
                _threads++;
                new Thread(Run, 256 << 10) { IsBackground = true, Name = "nbd submits" }.Start();
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
        Plug.Start(); // what would wait for a disk goes to a ring, where there is one
        while (Next() is { } command)
        {
            command.Submit();
            Plug.Flush();
        }

        Plug.Finish();
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
