using Microsoft.Extensions.Logging;

namespace DeviceMapper.Targets.Verity;

/// <summary>What verity logs.</summary>
internal static partial class VerityLog
{
    [LoggerMessage(60, LogLevel.Error, "{Device}: {Kind} block {Block} is corrupted")]
    public static partial void BlockIsCorrupt(this ILogger logger, string device, string kind, ulong block);
}
