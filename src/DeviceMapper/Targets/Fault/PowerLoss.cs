using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Fault;

/// <summary>What of the writes that were not durable is on the medium after the power went.</summary>
internal enum Keep
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Everything.</summary>
    All,

    /// <summary>The first of them, the last one torn.</summary>
    Prefix,

    /// <summary>Any of them, each torn.</summary>
    Random,
}

/// <summary>Chooses what is kept. A write is torn at units that are kept or lost as a whole.</summary>
internal static class PowerLoss
{
    /// <summary>Reads the word of a choice.</summary>
    /// <exception cref="DmException">EINVAL.</exception>
    public static Keep Parse(string word) =>
        Enum.TryParse(word, ignoreCase: true, out Keep keep) && Enum.IsDefined(keep)
            ? keep
            : throw new DmException(Errno.EINVAL, $"fault: '{word}' is not a choice of what a power cut keeps: none, all, prefix, random");

    /// <summary>Chooses.</summary>
    /// <param name="writes">What was not durable, in the order of completion.</param>
    /// <param name="isSuperseded">Whether a sector is durable in the content of a later write.</param>
    /// <param name="keep">How.</param>
    /// <param name="atomic">Bytes of a unit, 512 or 4096.</param>
    /// <param name="random">The numbers of this power cut.</param>
    /// <returns>The sectors that are kept, with their content.</returns>
    public static SectorContents Choose(
        IReadOnlyList<CachedWrite> writes, Func<ulong, CachedWrite, bool> isSuperseded, Keep keep, int atomic, SeededRandom random)
    {
        SectorContents kept = new();
        int whole = (int)random.Below((ulong)writes.Count + 1);
        for (int i = 0; i < writes.Count; i++)
        {
            CachedWrite write = writes[i];
            ulong unitSectors = (ulong)atomic / Sector.Size;
            ulong firstUnit = write.Sector / unitSectors;
            ulong units = ((write.Sector + write.Count - 1) / unitSectors) - firstUnit + 1;
            ulong prefix = random.With((ulong)i).Below(units);
            for (ulong sector = write.Sector; sector < write.Sector + write.Count; sector++)
            {
                ulong unit = (sector / unitSectors) - firstUnit;
                bool isKept = keep switch
                {
                    Keep.None => false,
                    Keep.All => true,
                    Keep.Prefix => i < whole || (i == whole && unit < prefix),
                    _ => (random.With((ulong)i).With(unit).Value & 1) != 0,
                };
                if (isKept && !isSuperseded(sector, write))
                {
                    kept.Set(sector, write);
                }
            }
        }

        return kept;
    }
}
