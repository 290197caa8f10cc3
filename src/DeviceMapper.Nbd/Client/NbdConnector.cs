using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using DeviceMapper.Native;
using DeviceMapper.Nbd.Native;
using DeviceMapper.Nbd.Protocol;

namespace DeviceMapper.Nbd.Client;

/// <summary>Makes connections to the server of a URI.</summary>
internal sealed class NbdConnector(NbdUri uri)
{
    /// <summary>Connects, and agrees with the server on the export.</summary>
    /// <exception cref="DmException">ECONNREFUSED, ENOENT, ETIMEDOUT ...: the server is not there; EPROTO: it does not have what is wanted; EINTR: cancelled.</exception>
    public (NbdStream Stream, RemoteExport Export, int Process) Connect(CancellationToken cancellation)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(uri.ConnectTimeout);
        Socket socket = uri.Socket is null
            ? new Socket(SocketType.Stream, ProtocolType.Tcp)
            : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        using CancellationTokenRegistration giveUp = limit.Token.Register(() => LibC.Shutdown((int)socket.Handle, LibC.SHUT_RDWR));
        try
        {
            ConnectSocket(socket);
            (NbdStream stream, RemoteExport export) = Agree(socket);
            int process = uri.Socket is null ? 0 : PeerProcess.Of(socket);
            if (limit.IsCancellationRequested)
            {
                throw new IOException("the time is over");
            }

            return (stream, export, process);
        }
        catch (Exception e) when (e is SocketException or IOException or AuthenticationException or NbdProtocolException)
        {
            socket.Dispose();
            throw Refusal(e, cancellation, limit.Token);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private void ConnectSocket(Socket socket)
    {
        socket.SendTimeout = (int)Math.Min(uri.ConnectTimeout.TotalMilliseconds, int.MaxValue); // of a connect, too
        if (uri.Socket is { } path)
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
        }
        else
        {
            socket.Connect(uri.Host!, uri.Port);
        }

        socket.SendTimeout = 0;
    }

    private (NbdStream Stream, RemoteExport Export) Agree(Socket socket)
    {
        NbdStream stream = new SocketStream(socket);
        ClientHandshake handshake = new(stream);
        handshake.Greet();
        if (uri.Tls)
        {
            handshake.StartTls();
            stream = StartTls(socket);
            handshake = handshake.Under(stream);
        }

        return (stream, handshake.Choose(uri.Export));
    }

    private TlsStream StartTls(Socket socket)
    {
        X509Certificate2Collection authorities = uri.TlsFolder is { } folder ? CertificateFiles.ReadAuthority(folder, needed: true) : [];
        X509CertificateCollection own = uri.TlsFolder is { } place && CertificateFiles.Exist(place, "client") ? [CertificateFiles.Read(place, "client")] : [];
        SslStream tls = new(new NetworkStream(socket, ownsSocket: false));
        tls.AuthenticateAsClient(new SslClientAuthenticationOptions
        {
            TargetHost = uri.Host ?? "localhost",
            ClientCertificates = own,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            RemoteCertificateValidationCallback = (_, certificate, _, errors) => authorities.Count == 0
                ? errors == SslPolicyErrors.None
                : certificate is X509Certificate2 server && CertificateFiles.IsSignedBy(server, authorities[0])
                    && (errors & SslPolicyErrors.RemoteCertificateNameMismatch) == 0,
        });
        return new TlsStream(socket, tls);
    }

    private DmException Refusal(Exception e, CancellationToken cancellation, CancellationToken limit)
    {
        if (cancellation.IsCancellationRequested)
        {
            return new DmException(Errno.EINTR, $"'{uri.Word}': given up while it was being connected", e);
        }

        if (limit.IsCancellationRequested)
        {
            return new DmException(Errno.ETIMEDOUT, $"'{uri.Word}': the server did not answer within {uri.ConnectTimeout.TotalSeconds:0.###} s", e);
        }

        return e switch
        {
            SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData } =>
                new DmException(Errno.ENXIO, $"'{uri.Word}': the host '{uri.Host}' is not known", e),
            SocketException when uri.Socket is { } path && !File.Exists(path) => new DmException(Errno.ENOENT, $"'{uri.Word}': there is no socket '{path}'", e),
            SocketException socket => new DmException((Errno)socket.NativeErrorCode, $"'{uri.Word}': the server cannot be reached", e),
            NbdProtocolException => new DmException(Errno.EPROTO, $"'{uri.Word}': {e.Message}", e),
            AuthenticationException => new DmException(Errno.EACCES, $"'{uri.Word}': TLS: {e.Message}", e),
            _ => new DmException(Errno.ECONNRESET, $"'{uri.Word}': the server closed the connection within the handshake", e),
        };
    }
}
