using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Native;
using DeviceMapper.Targets;

namespace DeviceMapper.Mapping.Statistics;

/// <summary>The messages <c>@stats_create</c>, <c>_delete</c>, <c>_clear</c>, <c>_list</c>, <c>_print</c>, <c>_print_clear</c> and <c>_set_aux</c>.</summary>
internal static class StatisticsMessages
{
    private const string All = "-"; // the whole device; the first area; all areas
    private const string HistogramPrefix = "histogram:";

    /// <summary>Does what a message says.</summary>
    /// <param name="statistics">Of the device that got it.</param>
    /// <param name="words">The message.</param>
    /// <param name="size">The device's size.</param>
    /// <param name="room">How many bytes of answer there is room for.</param>
    /// <returns>The answer, or null.</returns>
    /// <exception cref="DmException">EINVAL: the words. ENOENT: no such region. EOVERFLOW, ENOMEM: too large.</exception>
    public static string? Run(DeviceStatistics statistics, IReadOnlyList<string> words, SectorCount size, int room)
    {
        switch (words[0].ToLowerInvariant())
        {
            case "@stats_create":
                return statistics.Create(ReadCreate(words, size)).ToString();
            case "@stats_delete":
                Expect(words, 2, "a region");
                statistics.Delete(RegionId(words));
                return null;
            case "@stats_clear":
                Expect(words, 2, "a region");
                StatisticsRegion cleared = statistics.Find(RegionId(words));
                cleared.Clear(statistics.Now(cleared.Options.Precise));
                return ""; // an answer, and an empty one, as the kernel's
            case "@stats_list":
                return List(statistics, words);
            case "@stats_print":
                return Print(statistics, words, clear: false, room);
            case "@stats_print_clear":
                return Print(statistics, words, clear: true, room);
            case "@stats_set_aux":
                Expect(words, 3, "a region and a word of data");
                statistics.Find(RegionId(words)).SetAuxData(words[2]);
                return null;
            default:
                throw new DmException(Errno.EINVAL, $"message: '{words[0]}' is not a message that devices take");
        }
    }

    /// <summary>Reads <c>range step [count option...] [program_id [aux_data]]</c>.</summary>
    private static StatisticsOptions ReadCreate(IReadOnlyList<string> words, SectorCount size)
    {
        if (words.Count < 3)
        {
            throw Refuse(words, "needs a range and a step");
        }

        (ulong start, ulong end) = ReadRange(words, size);
        ulong step = ReadStep(words, end - start);
        Queue<string> rest = new(words.Skip(3));
        bool precise = false;
        ulong[] boundaries = [];
        if (rest.TryPeek(out string? first) && KernelNumber.TryScan(first, out uint count))
        {
            rest.Dequeue();
            for (; count > 0; count--)
            {
                string option = rest.TryDequeue(out string? next) ? next : throw Refuse(words, "has fewer options than it says");
                if (option.Equals("precise_timestamps", StringComparison.OrdinalIgnoreCase))
                {
                    precise = true;
                }
                else if (option.StartsWith(HistogramPrefix, StringComparison.OrdinalIgnoreCase) && boundaries.Length == 0)
                {
                    boundaries = ReadBoundaries(words, option[HistogramPrefix.Length..]);
                }
                else
                {
                    throw Refuse(words, $"option '{option}' is neither precise_timestamps nor one histogram:BOUNDARY,...");
                }
            }
        }

        string program = rest.TryDequeue(out string? id) ? id : "-";
        string aux = rest.TryDequeue(out string? data) ? data : "-";
        return rest.Count == 0
            ? new StatisticsOptions(start, end, step, precise, boundaries, program, aux)
            : throw Refuse(words, $"'{rest.Peek()}' is a word too many");
    }

    private static (ulong Start, ulong End) ReadRange(IReadOnlyList<string> words, SectorCount size)
    {
        if (words[1] == All)
        {
            return (0, Math.Max(1, size.Value));
        }

        string[] parts = words[1].Split('+');
        if (parts.Length != 2 || !KernelNumber.TryScan(parts[0], out ulong start) || !KernelNumber.TryScan(parts[1], out ulong length)
            || unchecked(start + length) <= start)
        {
            throw Refuse(words, $"range '{words[1]}' is neither START+LENGTH nor '{All}'");
        }

        return (start, start + length);
    }

    private static ulong ReadStep(IReadOnlyList<string> words, ulong length)
    {
        string word = words[2];
        if (word.StartsWith('/') && KernelNumber.TryScan(word.AsSpan(1), out uint areas) && areas > 0)
        {
            return (length / areas) + (length % areas == 0 ? 0UL : 1);
        }

        return KernelNumber.TryScan(word, out ulong step) && step > 0 ? step : throw Refuse(words, $"step '{word}' is neither a number of sectors nor /AREAS");
    }

    private static ulong[] ReadBoundaries(IReadOnlyList<string> words, string text)
    {
        List<ulong> boundaries = [];
        foreach (string part in text.Split(','))
        {
            if (!KernelNumber.TryScan(part, out ulong boundary) || boundary <= boundaries.LastOrDefault())
            {
                throw Refuse(words, $"histogram boundary '{part}' is not a number above the one before");
            }

            boundaries.Add(boundary);
        }

        return [.. boundaries];
    }

    private static string List(DeviceStatistics statistics, IReadOnlyList<string> words)
    {
        if (words.Count > 2)
        {
            throw Refuse(words, "takes one program id at most");
        }

        StringBuilder text = new();
        foreach (StatisticsRegion region in statistics.Regions)
        {
            StatisticsOptions options = region.Options;
            if (words.Count == 2 && words[1] != options.ProgramId)
            {
                continue;
            }

            text.Append($"{region.Id}: {options.Start}+{options.End - options.Start} {options.Step} {options.ProgramId} {options.AuxData}");
            text.Append(options.Precise ? " precise_timestamps" : "");
            text.Append(options.Boundaries.Count > 0 ? $" {HistogramPrefix}{string.Join(',', options.Boundaries)}" : "");
            text.Append('\n');
        }

        return text.ToString();
    }

    private static string Print(DeviceStatistics statistics, IReadOnlyList<string> words, bool clear, int room)
    {
        if (words.Count is not (2 or 4))
        {
            throw Refuse(words, "needs a region, and if wanted the first area and the number of areas");
        }

        int id = RegionId(words);
        ulong first = words.Count == 4 ? Area(words, 2, 0) : 0;
        ulong count = words.Count == 4 ? Area(words, 3, ulong.MaxValue) : ulong.MaxValue;
        StatisticsRegion region = statistics.Find(id);
        StringBuilder text = new();
        region.Print(text, first, count, clear, statistics.Now(region.Options.Precise), room);
        return text.ToString();
    }

    private static ulong Area(IReadOnlyList<string> words, int index, ulong otherwise) =>
        words[index] == All ? otherwise
        : KernelNumber.TryScan(words[index], out ulong value) ? value
        : throw Refuse(words, $"'{words[index]}' is not a number of areas");

    private static void Expect(IReadOnlyList<string> words, int count, string what)
    {
        if (words.Count != count)
        {
            throw Refuse(words, $"needs {what}");
        }
    }

    private static int RegionId(IReadOnlyList<string> words) =>
        KernelNumber.TryScan(words[1], out uint id) && id <= int.MaxValue ? (int)id : throw Refuse(words, $"'{words[1]}' is not the number of a region");

    private static DmException Refuse(IReadOnlyList<string> words, string reason) => new(Errno.EINVAL, $"message: {words[0]}: {reason}");
}
