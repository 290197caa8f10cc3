using Microsoft.Extensions.Logging;

namespace DeviceMapper.Nbd;

/// <summary>What NBD logs; the numbers are stable.</summary>
internal static partial class Log
{
    [LoggerMessage(101, LogLevel.Warning, "nbd: client {Client} broke the protocol and was disconnected: {Wrong}")]
    public static partial void ClientBroke(this ILogger logger, long client, string wrong);

    [LoggerMessage(102, LogLevel.Error, "nbd: the connection of client {Client} failed")]
    public static partial void ConnectionFailed(this ILogger logger, long client, Exception exception);

    [LoggerMessage(103, LogLevel.Warning, "nbd: there are {Count} connections; further ones are closed at once")]
    public static partial void TooManyConnections(this ILogger logger, int count);

    [LoggerMessage(104, LogLevel.Warning, "'{Uri}': the server is lost: {Why}")]
    public static partial void ServerLost(this ILogger logger, string uri, string why);

    [LoggerMessage(105, LogLevel.Information, "'{Uri}': the server is back")]
    public static partial void ServerBack(this ILogger logger, string uri);

    [LoggerMessage(106, LogLevel.Error, "'{Uri}': the server is still lost; {Count} requests failed after {Seconds} s, and others will at once")]
    public static partial void ServerStaysLost(this ILogger logger, string uri, int count, double seconds);

    [LoggerMessage(107, LogLevel.Error, "{Sentence}; it is not used")]
    public static partial void ExportChanged(this ILogger logger, string sentence);

    [LoggerMessage(108, LogLevel.Warning, "'{Uri}': the server does not promise that several connections see each other's writes: there is one")]
    public static partial void OneConnection(this ILogger logger, string uri);
}
