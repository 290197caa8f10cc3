using DeviceMapper.Io;
using DeviceMapper.Nbd.Protocol;

namespace DeviceMapper.Nbd.Client;

/// <summary>What a server says of an export.</summary>
/// <param name="Size">In bytes.</param>
/// <param name="Flags">What it can do.</param>
/// <param name="Least">The unit of requests, in bytes.</param>
/// <param name="Preferred">The best length, in bytes.</param>
/// <param name="Largest">The largest read or write, in bytes.</param>
/// <param name="StructuredReplies">Replies may come in chunks.</param>
/// <param name="Allocation">The number of the context <c>base:allocation</c>; null where holes cannot be asked for.</param>
internal sealed record RemoteExport(
    ulong Size, NbdExportFlags Flags, uint Least, uint Preferred, uint Largest, bool StructuredReplies, uint? Allocation)
{
    /// <summary>Whether it can do something.</summary>
    public bool Has(NbdExportFlags flag) => (Flags & flag) != 0;

    /// <summary>What I/O must look like.</summary>
    public QueueLimits Limits() => new()
    {
        LogicalBlockSize = Math.Max(Least, Sector.Size),
        PhysicalBlockSize = Math.Max(Least, Sector.Size),
        IoMin = Math.Max(Least, Sector.Size),
        MaxSectors = SectorCount.FromBytes(Largest),
        MaxDiscard = Has(NbdExportFlags.SendTrim) ? new SectorCount(uint.MaxValue) : SectorCount.Zero,
        DiscardGranularity = Has(NbdExportFlags.SendTrim) ? Math.Max(Least, Sector.Size) : 0,
        MaxWriteZeroes = Has(NbdExportFlags.SendWriteZeroes) ? new SectorCount(uint.MaxValue) : SectorCount.Zero,
        WriteCache = Has(NbdExportFlags.SendFlush),
        Fua = Has(NbdExportFlags.SendFua),
    };
}
