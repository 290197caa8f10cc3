using System.Net.Sockets;
using DeviceMapper.Native;

namespace DeviceMapper.Nbd.Server;

/// <summary>Listens on one endpoint, and hands on who connects.</summary>
internal sealed class Listener : IDisposable
{
    private const int Backlog = 1024;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250); // whether to stop, on a socket that was handed over
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100); // after an accept that failed for want of descriptors or memory

    private readonly Socket _socket;
    private readonly string? _path; // of a Unix socket that we made
    private readonly Action<Socket> _connected;
    private readonly Thread _thread;
    private readonly ManualResetEventSlim _stopped = new();

    /// <summary>Starts to listen.</summary>
    /// <exception cref="DmException">EADDRINUSE: somebody else listens there; or what the system said.</exception>
    public Listener(NbdEndpoint endpoint, Action<Socket> connected)
    {
        Endpoint = endpoint;
        _connected = connected;
        _path = endpoint.UnixPath;
        try
        {
            _socket = Listen(endpoint);
        }
        catch (SocketException e)
        {
            Errno errno = e.SocketErrorCode == SocketError.AddressAlreadyInUse ? Errno.EADDRINUSE
                : e.SocketErrorCode == SocketError.AccessDenied ? Errno.EACCES
                : Errno.EINVAL;
            throw new DmException(errno, $"nbd: cannot listen on {endpoint}", e);
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw new DmException(Errno.ENAMETOOLONG, $"nbd: the socket's path {_path} is longer than the 107 bytes that a socket can have", e);
        }

        _thread = new Thread(Accept, 256 << 10) { IsBackground = true, Name = "nbd accept" };
        _thread.Start();
    }

    /// <summary>Where it listens.</summary>
    public NbdEndpoint Endpoint { get; }

    /// <summary>Where it really listens, where the endpoint left the port open.</summary>
    public System.Net.EndPoint? LocalAddress => _socket.LocalEndPoint;

    /// <summary>Stops to listen.</summary>
    public void Dispose()
    {
        _stopped.Set();
        if (Endpoint.Descriptor is not null)
        {
            _thread.Join(); // before it is closed: see WaitForClient
        }

        _socket.Dispose();
        _thread.Join();
        if (_path is not null)
        {
            File.Delete(_path);
        }
    }

    private static Socket Listen(NbdEndpoint endpoint)
    {
        if (endpoint.Descriptor is { } descriptor)
        {
            return new Socket(new SafeSocketHandle(descriptor, ownsHandle: true));
        }

        if (endpoint.Address is { } address)
        {
            Socket tcp = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            tcp.Bind(address);
            tcp.Listen(Backlog);
            return tcp;
        }

        string path = endpoint.UnixPath!;
        RemoveDead(path);
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite); // before anybody can connect
        socket.Listen(Backlog);
        return socket;
    }

    /// <summary>Removes the socket of a server that was killed.</summary>
    private static void RemoveDead(string path)
    {
        if (!File.Exists(path))
        {
            return;
        }

        using Socket probe = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path);
            return;
        }

        throw new DmException(Errno.EADDRINUSE, $"nbd: another server listens on '{path}'");
    }

    /// <summary>
    /// Of our own sockets the accept ends with their closing. One that was handed over stays open at systemd, which starts the daemon again when somebody connects to
    /// it: there is no end that an accept could meet.
    /// </summary>
    private bool WaitForClient() => Endpoint.Descriptor is null || _socket.Poll(Look, SelectMode.SelectRead);

    private void Accept()
    {
        while (!_stopped.IsSet)
        {
            try
            {
                if (WaitForClient())
                {
                    _connected(_socket.Accept());
                }
            }
            catch (SocketException) when (!_stopped.IsSet)
            {
                _stopped.Wait(Pause);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }
}
