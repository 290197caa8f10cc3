using System.Net.Sockets;
using DeviceMapper.Mapping;
using DeviceMapper.Nbd.Protocol;
using Microsoft.Extensions.Logging;

namespace DeviceMapper.Nbd.Server;

/// <summary>A client's connection, on a thread of its own, from the greeting to the end.</summary>
internal sealed class Connection
{
    private const int StackSize = 512 << 10;

    /// <summary>The longest that a handshake may take.</summary>
    public static readonly TimeSpan HandshakeLimit = TimeSpan.FromSeconds(10);

    private readonly NbdServer _server;
    private readonly Socket _socket;
    private readonly ServerTls? _tls;
    private readonly Lock _lock = new(); // guards the two that follow
    private NbdStream? _stream;
    private bool _ended;
    private Transmission? _transmission;

    /// <summary>Takes over a connected socket.</summary>
    public Connection(NbdServer server, long id, Socket socket, ServerTls? tls)
    {
        _server = server;
        _socket = socket;
        _tls = tls;
        Id = id;
    }

    /// <summary>Its number, which no other connection of the server has had.</summary>
    public long Id { get; }

    /// <summary>The device that it uses; null during the handshake.</summary>
    public MappedDevice? Device { get; private set; }

    /// <summary>Set when it has ended, and the device is closed.</summary>
    public ManualResetEventSlim Ended { get; } = new();

    /// <summary>What is told of it.</summary>
    public NbdConnectionInfo Info => new(Id, Device?.Name, _socket.AddressFamily == AddressFamily.Unix ? "unix" : PeerName(), _tls is not null, _transmission?.Requests ?? 0);

    /// <summary>Whether the client has gone, and the connection is about to end.</summary>
    public bool HasHungUp
    {
        get
        {
            lock (_lock)
            {
                return _ended || _stream is { HasHungUp: true };
            }
        }
    }

    /// <summary>Starts its thread.</summary>
    public void Start() => new Thread(Run, StackSize) { IsBackground = true, Name = $"nbd {Id}" }.Start();

    /// <summary>Ends it from here: requests under way are carried out, but not answered.</summary>
    public void Disconnect()
    {
        lock (_lock)
        {
            if (!_ended)
            {
                _ = Native.LibC.Shutdown((int)_socket.Handle, Native.LibC.SHUT_RDWR);
            }
        }
    }

    private void Run()
    {
        Handshake handshake = new(_socket, _server.Exports, _tls);
        _stream = handshake.Stream;
        try
        {
            NegotiatedExport? export;
            using (_server.Time.CreateTimer(_ => Disconnect(), null, HandshakeLimit, Timeout.InfiniteTimeSpan))
            {
                export = handshake.Run();
            }

            if (export is not null)
            {
                Transmit(export, handshake.Stream);
            }
        }
        catch (NbdProtocolException e)
        {
            _server.Logger.ClientBroke(Id, e.Message);
        }
        catch (EndOfStreamException)
        {
            // It left within the handshake.
        }
        catch (Exception e)
        {
            _server.Logger.ConnectionFailed(Id, e);
        }

        End(handshake);
    }

    private void Transmit(NegotiatedExport export, NbdStream stream)
    {
        lock (_lock)
        {
            _stream = stream;
        }

        Device = export.Device;
        _server.HasChosen(this);
        using Transmission transmission = new(stream, export, _server.Buffers);
        _transmission = transmission;
        if (transmission.Run() is { } wrong)
        {
            _server.Logger.ClientBroke(Id, wrong);
        }
    }

    private void End(Handshake handshake)
    {
        lock (_lock)
        {
            _ended = true;
            handshake.Stream.Dispose();
        }

        handshake.Result?.Device.Close();
        _server.Remove(this);
        Ended.Set();
    }

    private string PeerName()
    {
        try
        {
            return _socket.RemoteEndPoint?.ToString() ?? "";
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return "";
        }
    }
}
