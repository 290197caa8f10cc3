using System.Net.Sockets;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using Microsoft.Extensions.Logging;

namespace DeviceMapper.Ioctl;

/// <summary>Takes the dm ioctls from a Unix socket, a thread for each connection: an ioctl may wait for as long as it likes.</summary>
public sealed class ControlServer : IDisposable
{
    private readonly Socket _listener;
    private readonly DeviceRegistry _registry;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly Func<IReadOnlyList<string>, string>? _answer;
    private readonly Lock _lock = new();
    private readonly HashSet<ControlConnection> _connections = [];
    private bool _disposed;

    /// <summary>Listens on a socket and serves at once.</summary>
    /// <param name="registry">The devices.</param>
    /// <param name="path">The socket's path. Whatever is there is removed; the caller makes sure that it is nobody's.</param>
    /// <param name="logger">Where it logs.</param>
    /// <param name="time">Its clock.</param>
    /// <param name="answer">Answers questions of udm's own, which are no ioctls, by text; it may refuse with a <see cref="DmException"/>.</param>
    /// <exception cref="DmException">ENAMETOOLONG, or why it cannot be made.</exception>
    public ControlServer(
        DeviceRegistry registry, string path, ILogger logger, TimeProvider? time = null, Func<IReadOnlyList<string>, string>? answer = null)
    {
        _registry = registry;
        _logger = logger;
        _time = time ?? TimeProvider.System;
        _answer = answer;
        _listener = UnixListener.Bind(path);
        new Thread(Accept) { IsBackground = true, Name = "control" }.Start();
    }

    /// <summary>Takes no more connections, and closes those that there are: what waits for them ends with EINTR.</summary>
    public void Dispose()
    {
        ControlConnection[] connections;
        lock (_lock)
        {
            _disposed = true;
            connections = [.. _connections];
        }

        _listener.Dispose();
        foreach (ControlConnection connection in connections)
        {
            connection.Dispose();
        }
    }

    private void Accept()
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = _listener.Accept();
            }
            catch (SocketException e) when (!_disposed)
            {
                _logger.LogError("control: no connection can be taken: {Reason}", e.Message);
                Thread.Sleep(100); // out of descriptors: those in use will come back
                continue;
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }

            Serve(socket);
        }
    }

    private void Serve(Socket socket)
    {
        if (!PeerCredentials.MayControl(socket, out uint user))
        {
            _logger.LogWarning("control: user {User} was turned away", user);
            socket.Dispose();
            return;
        }

        ControlConnection connection = new(socket, _registry, _logger, _time, _answer);
        lock (_lock)
        {
            if (_disposed)
            {
                connection.Dispose();
                return;
            }

            _connections.Add(connection);
        }

        new Thread(() => Run(connection), maxStackSize: 256 * 1024) { IsBackground = true, Name = "control" }.Start();
    }

    private void Run(ControlConnection connection)
    {
        connection.Run();
        lock (_lock)
        {
            _connections.Remove(connection);
        }
    }
}
