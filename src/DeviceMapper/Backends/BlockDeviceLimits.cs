using System.Globalization;
using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Backends;

/// <summary>Reads the limits of a block device: by its ioctls, and what these do not tell from its queue in /sys.</summary>
internal static class BlockDeviceLimits
{
    /// <summary>Reads them. What the kernel does not tell is as if the device did not have it.</summary>
    public static QueueLimits Read(OpenFile device, DeviceNumber number)
    {
        string queue = QueueFolder(number);
        uint logical = Math.Max(Ask(device, BlockIoctl.LogicalBlockSize), Sector.Size);
        uint alignment = Ask(device, BlockIoctl.AlignmentOffset);
        bool misaligned = (int)alignment < 0;
        SectorCount discard = SectorCount.FromBytes(Number(queue, "discard_max_bytes"));
        ulong kilobytes = Number(queue, "max_sectors_kb");
        bool writeCache = Text(queue, "write_cache") == "write back";
        return new QueueLimits
        {
            LogicalBlockSize = logical,
            PhysicalBlockSize = Math.Max(Ask(device, BlockIoctl.PhysicalBlockSize), logical),
            IoMin = Math.Max(Ask(device, BlockIoctl.IoMin), logical),
            IoOpt = Ask(device, BlockIoctl.IoOpt),
            AlignmentOffset = misaligned ? 0 : alignment,
            Misaligned = misaligned,
            MaxSectors = kilobytes == 0 ? QueueLimits.Stacking.MaxSectors : SectorCount.FromBytes(kilobytes << 10),
            MaxDiscard = discard,
            DiscardGranularity = discard == SectorCount.Zero ? 0 : (uint)Number(queue, "discard_granularity"),
            MaxWriteZeroes = SectorCount.FromBytes(Number(queue, "write_zeroes_max_bytes")),
            MaxSecureErase = SectorCount.FromBytes(Number(queue, "secure_erase_max_bytes")),
            WriteCache = writeCache,
            Fua = Number(queue, "fua") != 0,
        };
    }

    private static uint Ask(OpenFile device, nuint request)
    {
        uint value = 0;
        return device.Ioctl(request, ref value) == Errno.None ? value : 0;
    }

    /// <summary>A partition has no queue of its own: it is that of the disk, the folder above.</summary>
    private static string QueueFolder(DeviceNumber number)
    {
        string folder = $"/sys/dev/block/{number}";
        return Directory.Exists($"{folder}/queue") ? $"{folder}/queue" : $"{folder}/../queue";
    }

    private static ulong Number(string queue, string file) =>
        ulong.TryParse(Text(queue, file), NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) ? value : 0;

    private static string Text(string queue, string file)
    {
        try
        {
            return File.ReadAllText($"{queue}/{file}").Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ""; // an older kernel, or no /sys
        }
    }
}
