using System.Globalization;
using DeviceMapper.Native;

namespace DeviceMapper.Nbd.Client;

/// <summary>
/// A device on an NBD server, as tables name it: <c>nbd://HOST[:PORT]/EXPORT</c>, <c>nbd+unix:///EXPORT?socket=PATH</c>, both with an
/// <c>s</c> behind <c>nbd</c> for TLS, and options behind the question mark, separated by <c>&amp;</c>.
/// </summary>
public sealed record NbdUri
{
    /// <summary>The port that IANA gave to NBD.</summary>
    public const int DefaultPort = 10809;

    /// <summary>What the words start with.</summary>
    public static IReadOnlyList<string> Prefixes { get; } = ["nbd://", "nbds://", "nbd+unix://", "nbds+unix://"];

    /// <summary>The word.</summary>
    public required string Word { get; init; }

    /// <summary>The server's name or address; null for a Unix socket.</summary>
    public string? Host { get; init; }

    /// <summary>The server's port.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>The path of the server's socket; null for TCP.</summary>
    public string? Socket { get; init; }

    /// <summary>The export's name; empty for the server's default one.</summary>
    public string Export { get; init; } = "";

    /// <summary>Whether it is under TLS.</summary>
    public bool Tls { get; init; }

    /// <summary><c>tls-certificates</c>: a folder with <c>ca-cert.pem</c>, and <c>client-cert.pem</c> and <c>client-key.pem</c> where the server wants them.</summary>
    public string? TlsFolder { get; init; }

    /// <summary><c>connections</c>: how many; more than one only where the server promises that they see each other's writes.</summary>
    public int Connections { get; init; } = 1;

    /// <summary><c>reconnect-delay</c>: how long requests wait for a lost server before they fail.</summary>
    public TimeSpan ReconnectDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary><c>connect-timeout</c>: how long one attempt to connect may take.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// <c>in-doubt</c>: how long a write waits for which an earlier one, sent on a connection that was lost and then again, might still
    /// be under way at the server.
    /// </summary>
    public TimeSpan InDoubt { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// <c>request-timeout</c>: how long a request that asks to fail fast (a multipath device's) waits for its reply before the connection is given up; 0 for ever.
    /// </summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>What tells the device from others: address, export, and by whom it is asked.</summary>
    public string Identity =>
        $"{(Socket is null ? $"{Host!.ToLowerInvariant()}:{Port}" : Path.GetFullPath(Socket))}/{Export}{(Tls ? $" tls {TlsFolder}" : "")}";

    /// <summary>Reads a word.</summary>
    /// <exception cref="DmException">EINVAL: it is not of one of the forms.</exception>
    public static NbdUri Parse(string word)
    {
        string scheme = Prefixes.FirstOrDefault(prefix => word.StartsWith(prefix, StringComparison.Ordinal))
            ?? throw Refuse(word, $"it starts with none of {string.Join(", ", Prefixes)}");
        string[] parts = word[scheme.Length..].Split('?', 2);
        int slash = parts[0].IndexOf('/');
        string authority = slash < 0 ? parts[0] : parts[0][..slash];
        bool unix = scheme.Contains("unix", StringComparison.Ordinal);
        NbdUri uri = new()
        {
            Word = word,
            Tls = scheme.StartsWith("nbds", StringComparison.Ordinal),
            Export = slash < 0 ? "" : Uri.UnescapeDataString(parts[0][(slash + 1)..]),
        };
        uri = unix ? uri : WithAuthority(uri, authority);
        foreach (string option in parts.Length < 2 ? [] : parts[1].Split('&'))
        {
            uri = WithOption(uri, option);
        }

        if (unix && (authority.Length > 0 || string.IsNullOrEmpty(uri.Socket)))
        {
            throw Refuse(word, "the form is nbd+unix:///EXPORT?socket=PATH");
        }

        return uri.Socket is null || unix ? uri : throw Refuse(word, "socket=PATH belongs to nbd+unix://");
    }

    private static NbdUri WithAuthority(NbdUri uri, string authority)
    {
        int colon = authority.LastIndexOf(':');
        bool bracketed = authority.EndsWith(']'); // an IPv6 address without a port
        string host = colon < 0 || bracketed ? authority : authority[..colon];
        int port = DefaultPort;
        if (colon >= 0 && !bracketed
            && !(int.TryParse(authority.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and < 65536))
        {
            throw Refuse(uri.Word, $"'{authority[(colon + 1)..]}' is not a port");
        }

        host = host.Trim('[', ']');
        return host.Length > 0 ? uri with { Host = host, Port = port } : throw Refuse(uri.Word, "a host is missing");
    }

    private static NbdUri WithOption(NbdUri uri, string option)
    {
        int equals = option.IndexOf('=');
        string name = equals < 0 ? option : option[..equals];
        string value = equals < 0 ? "" : Uri.UnescapeDataString(option[(equals + 1)..]);
        return name switch
        {
            "socket" => uri with { Socket = value },
            "tls-certificates" when uri.Tls => uri with { TlsFolder = value },
            "connections" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count is > 0 and <= 16 =>
                uri with { Connections = count },
            "reconnect-delay" => uri with { ReconnectDelay = Seconds(uri, name, value) },
            "connect-timeout" => uri with { ConnectTimeout = Seconds(uri, name, value) },
            "request-timeout" => uri with { RequestTimeout = Seconds(uri, name, value) },
            "in-doubt" => uri with { InDoubt = Seconds(uri, name, value) },
            _ => throw Refuse(
                uri.Word, $"'{option}' is none of socket=PATH, tls-certificates=FOLDER (with nbds), connections=1...16, reconnect-delay=, connect-timeout=, request-timeout=, in-doubt=SECONDS"),
        };
    }

    private static TimeSpan Seconds(NbdUri uri, string name, string value) =>
        double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds) && seconds <= 1e6
            ? TimeSpan.FromSeconds(seconds)
            : throw Refuse(uri.Word, $"{name}: '{value}' is not a number of seconds");

    private static DmException Refuse(string word, string why) => new(Errno.EINVAL, $"'{word}': {why}");
}
