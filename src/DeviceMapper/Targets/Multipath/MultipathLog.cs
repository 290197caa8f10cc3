using DeviceMapper.Io;
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

    [LoggerMessage(604, LogLevel.Error, "{Device}: a flush fails: writes may be lost with the cache of {Cache}, which has no path left")]
    public static partial void WritesLost(this ILogger logger, string device, string cache);

    [LoggerMessage(605, LogLevel.Error, "{Device}: a write of {Count} sectors at {Sector} fails: a write there that was given up may still be applied, after {Seconds} s")]
    public static partial void DoubtTooLong(this ILogger logger, string device, Sector sector, SectorCount count, uint seconds);

    [LoggerMessage(606, LogLevel.Warning, "{Device}: {Count} ranges are no longer taken to be in doubt: the table has not had their path for {Seconds} s")]
    public static partial void DoubtForgotten(this ILogger logger, string device, int count, uint seconds);

    [LoggerMessage(607, LogLevel.Error, "{Device}: path {Path} stays failed: {Reason}")]
    public static partial void OtherDisk(this ILogger logger, string device, string path, string reason);
}
