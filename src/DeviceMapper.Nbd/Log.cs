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
}
