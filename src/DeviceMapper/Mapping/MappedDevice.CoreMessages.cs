using DeviceMapper.Mapping.Statistics;
using DeviceMapper.Native;

namespace DeviceMapper.Mapping;

/// <content>Messages to the device itself: those that start with @ (the kernel's <c>message_for_md</c>). They need no table.</content>
public sealed partial class MappedDevice
{
    private const string StatisticsPrefix = "@stats_";

    private string? CoreMessage(IReadOnlyList<string> words, int room)
    {
        if (words[0].StartsWith(StatisticsPrefix, StringComparison.OrdinalIgnoreCase))
        {
            return StatisticsMessages.Run(_statistics, words, Size, room);
        }

        if (!words[0].Equals("@cancel_deferred_remove", StringComparison.OrdinalIgnoreCase))
        {
            throw new DmException(Errno.EINVAL, $"message: '{words[0]}' is not a message that devices take: @cancel_deferred_remove, @stats_...");
        }

        if (words.Count != 1)
        {
            throw new DmException(Errno.EINVAL, $"message: {words[0]} takes no arguments");
        }

        CancelDeferredRemoval();
        return null;
    }
}
