using Microsoft.Extensions.Logging;

namespace DeviceMapper.Targets.Multipath;

/// <summary>What multipath logs; the numbers are stable.</summary>
internal static partial class MultipathLog
{
    [LoggerMessage(601, LogLevel.Warning, "{Device}: path {Path} failed: {Reason}; {Left} left")]
    public static partial void PathFailed(this ILogger logger, string device, string path, string reason, int left);

    [LoggerMessage(602, LogLevel.Information, "{Device}: path {Path} is good again: {Reason}; {Count} now")]
    public static partial void PathReinstated(this ILogger logger, string device, string path, string reason, int count);

    [LoggerMessage(603, LogLevel.Warning, "{Device}: no path for {Seconds} s: I/O fails from now on, {Held} that waited too")]
    public static partial void NoPathTimeout(this ILogger logger, string device, uint seconds, int held);
}
