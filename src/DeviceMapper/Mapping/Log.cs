using Microsoft.Extensions.Logging;

namespace DeviceMapper.Mapping;

/// <summary>What the engine logs; the numbers are stable.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Error, "{Device}: table device {Lower} ({Mode}) was left with {References} references; closed")]
    public static partial void TableDeviceLeft(this ILogger logger, string device, string lower, DeviceMode mode, int references);

    [LoggerMessage(2, LogLevel.Error, "{Device}: {Target}: a bug of the target")]
    public static partial void TargetBug(this ILogger logger, string device, string target, Exception exception);

    [LoggerMessage(3, LogLevel.Error, "{Device}: preresume failed: {Reason}")]
    public static partial void PreresumeFailed(this ILogger logger, string device, string reason);

    [LoggerMessage(4, LogLevel.Error, "{Device}: {Lower}: closing it failed")]
    public static partial void CloseFailed(this ILogger logger, string device, string lower, Exception exception);

    [LoggerMessage(5, LogLevel.Warning, "{Device}: {Warning}")]
    public static partial void TableWarning(this ILogger logger, string device, string warning);

    [LoggerMessage(6, LogLevel.Information, "{Device}: removed on its last close")]
    public static partial void DeferredRemoved(this ILogger logger, string device);

    [LoggerMessage(7, LogLevel.Error, "{Device}: a front end failed")]
    public static partial void ExportFailed(this ILogger logger, string device, Exception exception);

    [LoggerMessage(40, LogLevel.Error, "{Device}: log-writes: {Reason}; logging has ended")]
    public static partial void LogStopped(this ILogger logger, string device, string reason);

    [LoggerMessage(50, LogLevel.Error, "{Device}: the pool's metadata: {Reason}")]
    public static partial void PoolFailed(this ILogger logger, string device, string reason);

    [LoggerMessage(60, LogLevel.Error, "{Device}: mirror: {Reason}")]
    public static partial void MirrorFailed(this ILogger logger, string device, string reason);
}
