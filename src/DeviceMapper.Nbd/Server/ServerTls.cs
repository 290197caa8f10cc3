using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DeviceMapper.Native;
using DeviceMapper.Nbd.Protocol;

namespace DeviceMapper.Nbd.Server;

/// <summary>
/// The server's side of TLS, from a folder with the names that other NBD programs use: <c>server-cert.pem</c>, <c>server-key.pem</c>, and
/// <c>ca-cert.pem</c>, which must have signed the clients' certificates where these are wanted.
/// </summary>
internal sealed class ServerTls
{
    private readonly SslStreamCertificateContext _certificate;
    private readonly X509Certificate2? _clientAuthority;

    /// <summary>Reads the certificates.</summary>
    /// <param name="folder">Where they are.</param>
    /// <param name="verifyPeer">Clients must have a certificate.</param>
    /// <exception cref="DmException">ENOENT, EINVAL: one is missing, or is none.</exception>
    public ServerTls(string folder, bool verifyPeer)
    {
        X509Certificate2 certificate = CertificateFiles.Read(folder, "server");
        X509Certificate2Collection authorities = CertificateFiles.ReadAuthority(folder, needed: verifyPeer);
        _certificate = SslStreamCertificateContext.Create(certificate, authorities, offline: true);
        _clientAuthority = verifyPeer ? authorities[0] : null;
    }

    /// <summary>Agrees with the client on keys.</summary>
    /// <exception cref="NbdProtocolException">The client does not, or has no certificate that is wanted.</exception>
    public NbdStream Authenticate(Socket socket)
    {
        SslStream tls = new(new NetworkStream(socket, ownsSocket: false));
        try
        {
            tls.AuthenticateAsServer(new SslServerAuthenticationOptions
            {
                ServerCertificateContext = _certificate,
                ClientCertificateRequired = _clientAuthority is not null,
                RemoteCertificateValidationCallback = (_, certificate, _, _) => IsTrusted(certificate),
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            });
            return new TlsStream(socket, tls);
        }
        catch (Exception e) when (e is AuthenticationException or IOException or CryptographicException)
        {
            tls.Dispose();
            throw new NbdProtocolException($"TLS: {e.Message}");
        }
    }

    private bool IsTrusted(X509Certificate? certificate) =>
        _clientAuthority is null || (certificate is X509Certificate2 client && CertificateFiles.IsSignedBy(client, _clientAuthority));
}
