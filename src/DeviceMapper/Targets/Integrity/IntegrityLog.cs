using Microsoft.Extensions.Logging;

namespace DeviceMapper.Targets.Integrity;

/// <summary>What integrity logs.</summary>
internal static partial class IntegrityLog
{
    [LoggerMessage(70, LogLevel.Error, "{Device}: the tag of sector {Sector} does not match its data")]
    public static partial void TagIsWrong(this ILogger logger, string device, ulong sector);

    [LoggerMessage(71, LogLevel.Error, "{Device}: {What} failed with {Status}: all I/O fails from now on")]
    public static partial void HasFailed(this ILogger logger, string device, string what, Io.BioStatus status);
}
