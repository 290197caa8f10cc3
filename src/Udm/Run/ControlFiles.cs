using System.Collections.Concurrent;
using DeviceMapper;
using DeviceMapper.Ioctl;
using Udm.Native;

namespace Udm.Run;

/// <summary>
/// The control nodes that programs have open. Each is the reading end of a pipe, so that the kernel does the counting of its copies, and
/// poll(2) works: a byte is in it when there was an event since <see cref="DmCommand.DevArmPoll"/>.
/// </summary>
internal sealed class ControlFiles(string socket)
{
    private readonly ConcurrentDictionary<string, ControlFile> _files = [];

    /// <summary>Opens the control node for a call.</summary>
    public void Open(TracedCall call, bool closeOnExec)
    {
        (int read, int write) = Seccomp.Pipe();
        string? name = new FileInfo($"/proc/self/fd/{read}").LinkTarget;
        if (name is not null)
        {
            RemoveClosed();
            _files[name] = new ControlFile(socket, write);
        }

        call.Give(read, closeOnExec);
        Seccomp.Close(read);
    }

    /// <summary>The control node behind an open file's name by /proc; null if it is none.</summary>
    public ControlFile? Find(string? name) => name is null ? null : _files.GetValueOrDefault(name);

    private void RemoveClosed()
    {
        foreach ((string name, ControlFile file) in _files)
        {
            if (file.IsClosed && _files.TryRemove(name, out _))
            {
                file.Dispose();
            }
        }
    }
}

/// <summary>One open control node.</summary>
internal sealed class ControlFile(string socket, int pipe) : IDisposable
{
    private readonly Lock _lock = new();
    private CancellationTokenSource? _poll;

    /// <summary>Whether no program has it open any more.</summary>
    public bool IsClosed => Seccomp.HasNoReader(pipe);

    /// <summary>Makes it readable when the next event comes; until then it is not.</summary>
    public void Arm()
    {
        lock (_lock)
        {
            _poll?.Cancel();
            Seccomp.Drain(pipe);
            CancellationTokenSource armed = _poll = new CancellationTokenSource();
            ControlClient client = new(socket);
            client.Call(DmCommand.DevArmPoll, new DmIoctl(DmIoctl.HeaderSize));
            new Thread(() => WaitForEvent(client, armed), maxStackSize: 256 * 1024) { IsBackground = true, Name = "poll" }.Start();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _poll?.Cancel();
            Seccomp.Close(pipe);
        }
    }

    private void WaitForEvent(ControlClient client, CancellationTokenSource armed)
    {
        using (client)
        {
            try
            {
                client.Poll(armed.Token);
            }
            catch (DmException)
            {
                // Armed anew, closed, or the daemon has gone: that is an event too, but for nobody.
            }
        }

        lock (_lock)
        {
            if (!armed.IsCancellationRequested)
            {
                Seccomp.Mark(pipe);
            }
        }
    }
}
