using System.Numerics;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Nbd.Protocol;

namespace DeviceMapper.Nbd.Server.Options;

/// <summary>What is told about a device.</summary>
internal static class ExportInfo
{
    private const uint AssumedBlock = 512; // what clients that do not ask keep to
    private const uint UsualPreferred = 4096;
    private const uint LargestPreferred = 1 << 20;

    /// <summary>What a device can do now.</summary>
    /// <remarks>
    /// Several connections may always be promised: nothing is kept for a connection, and a flush covers all writes to the device that were answered.
    /// </remarks>
    public static NbdExportFlags FlagsOf(MappedDevice device, bool structuredReplies)
    {
        NbdExportFlags flags = NbdExportFlags.HasFlags | NbdExportFlags.SendFlush | NbdExportFlags.SendFua | NbdExportFlags.CanMultiConn
            | NbdExportFlags.SendCache;
        if (structuredReplies)
        {
            flags |= NbdExportFlags.SendDf;
        }

        if (device.IsReadOnly)
        {
            return flags | NbdExportFlags.ReadOnly;
        }

        flags |= NbdExportFlags.SendWriteZeroes | NbdExportFlags.SendFastZero;
        return device.Limits.MaxDiscard == SectorCount.Zero ? flags : flags | NbdExportFlags.SendTrim;
    }

    /// <summary>Whether a client must know the block size of a device to use it.</summary>
    public static bool NeedsBlockSize(MappedDevice device) => device.Limits.LogicalBlockSize > AssumedBlock;

    /// <summary>The least, the preferred and the largest length of requests, in bytes.</summary>
    public static (uint Least, uint Preferred, uint Largest) BlockSizesOf(MappedDevice device)
    {
        QueueLimits limits = device.Limits;
        uint least = limits.LogicalBlockSize;
        uint preferred = BitOperations.RoundUpToPowerOf2(Math.Max(limits.IoMin, limits.PhysicalBlockSize));
        preferred = Math.Max(least, Math.Clamp(preferred, UsualPreferred, LargestPreferred));
        return (least, preferred, NbdTransmission.MaxPayload);
    }
}
