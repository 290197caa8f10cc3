using System.Globalization;

namespace DeviceMapper.Mapping;

/// <summary>Finds block majors that no driver of this machine has.</summary>
internal static class FreeMajors
{
    // The kernel gives majors of this range to drivers that ask for any, from above (include/linux/fs.h).
    private const uint Highest = 254;
    private const uint Lowest = 234;

    /// <summary>One for mapped devices, and one for table devices that are no block devices.</summary>
    public static (uint Mapped, uint Foreign) Find()
    {
        HashSet<uint> taken = Taken();
        uint[] free = [.. Range().Where(m => !taken.Contains(m)).Take(2)];
        return free.Length == 2 ? (free[0], free[1]) : (Highest, Highest - 1);
    }

    private static IEnumerable<uint> Range()
    {
        for (uint major = Highest; major >= Lowest; major--)
        {
            yield return major;
        }
    }

    private static HashSet<uint> Taken()
    {
        HashSet<uint> taken = [];
        string[] lines;
        try
        {
            lines = File.ReadAllLines("/proc/devices");
        }
        catch (IOException)
        {
            return taken; // no /proc: nothing is known to be taken
        }

        foreach (string line in lines.SkipWhile(l => !l.StartsWith("Block", StringComparison.Ordinal)).Skip(1))
        {
            if (uint.TryParse(line.AsSpan().Trim().ToString().Split(' ')[0], NumberStyles.None, CultureInfo.InvariantCulture, out uint major))
            {
                taken.Add(major);
            }
        }

        return taken;
    }
}
