using System.Net.Sockets;
using DeviceMapper.Mapping;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeviceMapper.Nbd.Server;

/// <summary>
/// Exports mapped devices by NBD: add it to a registry by <see cref="DeviceRegistry.AddExport"/>. An export has its device's name, and
/// is there from the device's first resume on; a connection is an open of the device.
/// </summary>
public sealed class NbdServer : IDeviceExport, IDisposable
{
    /// <summary>The most connections; further ones are closed at once.</summary>
    public const int MaxConnections = 1024;

    /// <summary>The most connections that have not chosen an export: with one more the oldest of them is closed.</summary>
    public const int MaxHandshakes = 256;

    private static readonly TimeSpan SettleLimit = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(0.5);

    private readonly Lock _lock = new(); // guards what follows
    private readonly Dictionary<long, Connection> _connections = [];
    private readonly LinkedList<Connection> _handshakes = [];
    private readonly List<Listener> _listeners = [];
    private long _lastId;
    private bool _disposed;

    /// <summary>Starts to listen.</summary>
    /// <param name="endpoints">Where.</param>
    /// <param name="logger">Where it logs.</param>
    /// <param name="time">Its clock.</param>
    /// <exception cref="DmException">EADDRINUSE: another server listens there; ENOENT or EINVAL: the certificates.</exception>
    public NbdServer(IEnumerable<NbdEndpoint> endpoints, ILogger? logger = null, TimeProvider? time = null)
    {
        Logger = logger ?? NullLogger.Instance;
        Time = time ?? TimeProvider.System;
        try
        {
            foreach (NbdEndpoint endpoint in endpoints)
            {
                ServerTls? tls = endpoint.TlsFolder is { } folder ? new ServerTls(folder, endpoint.VerifyPeer) : null;
                _listeners.Add(new Listener(endpoint, socket => Connected(socket, tls)));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Where it listens; with the port that the system chose.</summary>
    public IReadOnlyList<System.Net.EndPoint?> Addresses => [.. _listeners.Select(listener => listener.LocalAddress)];

    /// <summary>All connections, in the order in which they came.</summary>
    public IReadOnlyList<NbdConnectionInfo> Connections => [.. Snapshot().Select(connection => connection.Info)];

    internal ExportList Exports { get; } = new();

    internal BufferPool Buffers { get; } = new();

    internal ILogger Logger { get; }

    internal TimeProvider Time { get; }

    /// <inheritdoc/>
    public void Appeared(MappedDevice device) => Exports.Add(device);

    /// <inheritdoc/>
    public void Renamed(MappedDevice device, string oldName) => Exports.Rename(device, oldName);

    /// <summary>Connections that there are see the new size with their next request; new ones are told it.</summary>
    public void Changed(MappedDevice device)
    {
    }

    /// <inheritdoc/>
    public void Vanished(MappedDevice device) => Exports.Remove(device);

    /// <summary>Returns when each connection whose client has closed it is counted as closed.</summary>
    public void Settle()
    {
        long deadline = Environment.TickCount64 + (long)SettleLimit.TotalMilliseconds;
        foreach (Connection connection in Snapshot())
        {
            if (connection.HasHungUp)
            {
                connection.Ended.Wait((int)Math.Max(0, deadline - Environment.TickCount64));
            }
        }
    }

    /// <summary>Ends connections: requests under way are carried out, but not answered.</summary>
    /// <param name="which">Those for which this is true.</param>
    /// <returns>How many.</returns>
    public int Disconnect(Func<NbdConnectionInfo, bool> which)
    {
        Connection[] chosen = [.. Snapshot().Where(connection => which(connection.Info))];
        foreach (Connection connection in chosen)
        {
            connection.Disconnect();
        }

        WaitForEnd(chosen);
        return chosen.Length;
    }

    /// <summary>
    /// Stops to listen and ends all connections. One whose requests wait for a suspended device ends when these do.
    /// </summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
        }

        foreach (Listener listener in _listeners)
        {
            listener.Dispose();
        }

        Disconnect(_ => true);
        Buffers.Dispose();
    }

    /// <summary>A connection's handshake is over.</summary>
    internal void HasChosen(Connection connection)
    {
        lock (_lock)
        {
            _handshakes.Remove(connection);
        }
    }

    /// <summary>A connection has ended.</summary>
    internal void Remove(Connection connection)
    {
        lock (_lock)
        {
            _connections.Remove(connection.Id);
            _handshakes.Remove(connection);
        }
    }

    private static void WaitForEnd(IEnumerable<Connection> connections)
    {
        long deadline = Environment.TickCount64 + (long)EndLimit.TotalMilliseconds;
        foreach (Connection connection in connections)
        {
            connection.Ended.Wait((int)Math.Max(0, deadline - Environment.TickCount64));
        }
    }

    private Connection[] Snapshot()
    {
        lock (_lock)
        {
            return [.. _connections.Values.OrderBy(connection => connection.Id)];
        }
    }

    private void Connected(Socket socket, ServerTls? tls)
    {
        Connection connection;
        Connection? tooOld;
        lock (_lock)
        {
            tooOld = _handshakes.Count < MaxHandshakes ? null : _handshakes.First!.Value;
            if (_disposed || _connections.Count - (tooOld is null ? 0 : 1) >= MaxConnections)
            {
                tooOld = null;
                connection = null!;
            }
            else
            {
                connection = new Connection(this, ++_lastId, socket, tls);
                _connections.Add(connection.Id, connection);
                _handshakes.AddLast(connection);
                if (tooOld is not null)
                {
                    _handshakes.RemoveFirst();
                }
            }
        }

        if (connection is null)
        {
            Logger.TooManyConnections(MaxConnections);
            socket.Dispose();
            return;
        }

        tooOld?.Disconnect();
        connection.Start();
    }
}
