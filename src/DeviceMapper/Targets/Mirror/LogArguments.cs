using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Mirror;

/// <summary>The first words of a mirror's table: the log's type, how many words follow, and these.</summary>
/// <param name="Device">The device of a <c>disk</c> log.</param>
/// <param name="RegionSize">In sectors.</param>
/// <param name="RegionCount">How many make up the target.</param>
/// <param name="Sync">In which state the legs are.</param>
/// <param name="Words">How many words of the table these were.</param>
internal sealed record LogArguments(DeviceReference? Device, uint RegionSize, int RegionCount, LogSync Sync, int Words)
{
    /// <summary>Reads them. All refusals are EINVAL, that of the log's device too, as in the kernel.</summary>
    public static LogArguments Parse(TargetArguments arguments)
    {
        uint count = arguments.Number32(1, "number of log words", "a number of words");
        if (count > arguments.Count - 2)
        {
            throw arguments.Refuse(1, "number of log words", $"is more than the {arguments.Count - 2} words that follow");
        }

        int devices = arguments[0] switch
        {
            "core" => 0,
            "disk" => 1,
            "userspace" or "clustered_core" or "clustered_disk" => throw arguments.Refuse(
                0, "log type", "is a log that a cluster's daemon keeps, which is not known here: core or disk expected"),
            _ => throw arguments.Refuse(0, "log type", "is neither core nor disk"),
        };
        int least = 1 + devices;
        if (count < least || count > least + 1)
        {
            throw arguments.Refuse(1, "number of log words", $"is not {least} or {least + 1}: {(devices == 0 ? "" : "<log device> ")}<region size> [sync|nosync]");
        }

        int at = 2 + devices;
        LogSync sync = count == least
            ? LogSync.Default
            : arguments[at + 1] switch
            {
                "sync" => LogSync.Sync,
                "nosync" => LogSync.NoSync,
                _ => throw arguments.Refuse(at + 1, "log's state", "is neither sync nor nosync"),
            };
        uint regionSize = arguments.Number32(at, "region size", "a number of sectors");
        if (regionSize < 2 || regionSize > arguments.Length.Value || (regionSize & (regionSize - 1)) != 0)
        {
            throw arguments.Refuse(at, "region size", $"is not a power of two from 2 to the target's length, {arguments.Length}");
        }

        ulong regions = (arguments.Length.Value + regionSize - 1) / regionSize;
        if (regions > int.MaxValue)
        {
            throw new DmException(Errno.ENOMEM, $"{arguments.Type.Name}: {regions} regions of {regionSize} sectors are more than {int.MaxValue}");
        }

        return new LogArguments(devices == 0 ? null : LogDevice(arguments), regionSize, (int)regions, sync, 2 + (int)count);
    }

    private static DeviceReference LogDevice(TargetArguments arguments)
    {
        try
        {
            return arguments.Device(2, "log device");
        }
        catch (DmException e)
        {
            throw new DmException(Errno.EINVAL, e.Message, e) { Argument = e.Argument };
        }
    }
}
