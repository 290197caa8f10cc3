using Microsoft.Extensions.Logging;

namespace DeviceMapper.Targets.Crypt;

/// <summary>What crypt logs.</summary>
internal static partial class CryptLog
{
    [LoggerMessage(72, LogLevel.Error, "{Device}: sector {Sector} is not what was written: its authentication tag is wrong")]
    public static partial void AuthenticationFailed(this ILogger logger, string device, ulong sector);
}
