using System.Net;
using System.Net.Sockets;
using DeviceMapper.Native;

namespace DeviceMapper.Nbd.Server;

/// <summary>Where an NBD server listens.</summary>
/// <remarks>
/// As text: <c>unix:PATH</c>, <c>tcp://HOST[:PORT]</c>, or <c>fd:N</c>, a socket that listens already (systemd's socket activation).
/// After a question mark, separated by <c>&amp;</c>: <c>tls=FOLDER</c> with <c>server-cert.pem</c>, <c>server-key.pem</c>, <c>ca-cert.pem</c>;
/// <c>verify-peer</c>: clients need a certificate too; <c>plain</c>: without TLS, although others than this machine can connect.
/// </remarks>
public sealed record NbdEndpoint
{
    /// <summary>The port that IANA gave to NBD.</summary>
    public const int DefaultPort = 10809;

    /// <summary>The path of a Unix socket; it is made with mode 0600, in place of one that nobody listens on.</summary>
    public string? UnixPath { get; init; }

    /// <summary>The address of a TCP socket.</summary>
    public IPEndPoint? Address { get; init; }

    /// <summary>A descriptor that listens already.</summary>
    public int? Descriptor { get; init; }

    /// <summary>The folder with the server's certificates; without it there is no TLS, with it only TLS.</summary>
    public string? TlsFolder { get; init; }

    /// <summary>Clients must have a certificate that the authority in <see cref="TlsFolder"/> has signed.</summary>
    public bool VerifyPeer { get; init; }

    /// <summary>A Unix socket.</summary>
    public static NbdEndpoint Unix(string path) => new() { UnixPath = path };

    /// <summary>Reads the text of an endpoint.</summary>
    /// <exception cref="DmException">EINVAL: it is none. EPERM: plain TCP that others than this machine can reach.</exception>
    public static NbdEndpoint Parse(string text)
    {
        (string place, string[] words) = text.Split('?', 2) is [string before, string after] ? (before, after.Split('&')) : (text, []);
        NbdEndpoint endpoint = ParsePlace(text, place);
        bool plain = false;
        foreach (string word in words)
        {
            endpoint = word switch
            {
                "plain" => endpoint,
                "verify-peer" => endpoint with { VerifyPeer = true },
                _ when word.StartsWith("tls=", StringComparison.Ordinal) && word.Length > 4 => endpoint with { TlsFolder = word[4..] },
                _ => throw new DmException(Errno.EINVAL, $"'{text}': '{word}' is not tls=FOLDER, verify-peer or plain"),
            };
            plain |= word == "plain";
        }

        if (endpoint.VerifyPeer && endpoint.TlsFolder is null)
        {
            throw new DmException(Errno.EINVAL, $"'{text}': verify-peer needs tls=FOLDER");
        }

        return endpoint.Address is { } address && !IPAddress.IsLoopback(address.Address) && endpoint.TlsFolder is null && !plain
            ? throw new DmException(Errno.EPERM, $"'{text}': others than this machine could read and write all devices; add ?tls=FOLDER, or ?plain if that is meant")
            : endpoint;
    }

    /// <inheritdoc/>
    public override string ToString() => UnixPath is not null ? $"unix:{UnixPath}" : Address is not null ? $"tcp://{Address}" : $"fd:{Descriptor}";

    private static NbdEndpoint ParsePlace(string text, string place)
    {
        if (place.StartsWith("unix:", StringComparison.Ordinal) && place.Length > 5)
        {
            return Unix(Path.GetFullPath(place[5..]));
        }

        if (place.StartsWith("fd:", StringComparison.Ordinal) && int.TryParse(place.AsSpan(3), out int descriptor) && descriptor >= 0)
        {
            return new NbdEndpoint { Descriptor = descriptor };
        }

        if (place.StartsWith("tcp://", StringComparison.Ordinal)
            && Uri.TryCreate(place, UriKind.Absolute, out Uri? uri) && uri.Host.Length > 0 && uri.AbsolutePath is "" or "/")
        {
            return new NbdEndpoint { Address = new IPEndPoint(Resolve(text, uri.DnsSafeHost), uri.Port < 0 ? DefaultPort : uri.Port) };
        }

        throw new DmException(Errno.EINVAL, $"'{text}' is not unix:PATH, tcp://HOST[:PORT] or fd:N");
    }

    private static IPAddress Resolve(string text, string host)
    {
        try
        {
            return IPAddress.TryParse(host, out IPAddress? address) ? address : Dns.GetHostAddresses(host)[0];
        }
        catch (SocketException e)
        {
            throw new DmException(Errno.EINVAL, $"'{text}': the host '{host}' is not known", e);
        }
    }
}
