using DeviceMapper.Native;

namespace DeviceMapper.Targets.Switch;

/// <summary>
/// The arguments of <c>set_region_mappings</c>, all numbers hexadecimal: <c>REGION:PATH</c>; <c>:PATH</c>, for the region after the one
/// before; <c>RCYCLE,COUNT</c>, which repeats the last CYCLE mappings over COUNT regions more. What stands before an error stays done,
/// as in the kernel.
/// </summary>
internal static class RegionMappings
{
    /// <summary>Carries them out.</summary>
    /// <param name="regions">Where to.</param>
    /// <param name="paths">How many paths there are.</param>
    /// <param name="words">The message; its first word is its name.</param>
    /// <exception cref="DmException">EINVAL: a word is malformed, or names a region or path that is not there.</exception>
    public static void Apply(RegionTable regions, uint paths, IReadOnlyList<string> words)
    {
        ulong region = 0;
        for (int i = 1; i < words.Count; i++)
        {
            region = words[i].StartsWith("R", StringComparison.OrdinalIgnoreCase)
                ? Repeat(regions, region, i, words[i])
                : Set(regions, paths, region, i, words[i]);
        }
    }

    private static ulong Set(RegionTable regions, uint paths, ulong region, int index, string word)
    {
        ReadOnlySpan<char> rest = word;
        region = word.StartsWith(':') ? unchecked(region + 1) : TakeHex(ref rest);
        if (rest.Length < 2 || rest[0] != ':')
        {
            throw Malformed(index, word);
        }

        rest = rest[1..];
        ulong path = TakeHex(ref rest);
        if (rest.Length > 0)
        {
            throw Malformed(index, word);
        }

        if (region >= regions.Count)
        {
            throw Refuse(index, word, $"region {region:x} is past the last, {regions.Count - 1:x}");
        }

        if (path >= paths)
        {
            throw Refuse(index, word, $"path {path:x} is past the last, {paths - 1:x}");
        }

        regions[region] = (uint)path;
        return region;
    }

    private static ulong Repeat(RegionTable regions, ulong region, int index, string word)
    {
        ReadOnlySpan<char> rest = word.AsSpan(1);
        ulong cycle = TakeHex(ref rest);
        if (word.StartsWith("R,", StringComparison.OrdinalIgnoreCase) || rest.Length < 2 || rest[0] != ',')
        {
            throw Malformed(index, word);
        }

        rest = rest[1..];
        ulong count = TakeHex(ref rest);
        if (rest.Length > 0)
        {
            throw Malformed(index, word);
        }

        if (cycle == 0 || cycle - 1 > region)
        {
            throw Refuse(index, word, $"a cycle of {cycle:x} does not lie before region {region + 1:x}");
        }

        ulong last = unchecked(region + count);
        if (last < region || last >= regions.Count)
        {
            throw Refuse(index, word, $"{count:x} regions after region {region:x} reach past the last, {regions.Count - 1:x}");
        }

        while (region < last)
        {
            region++;
            regions[region] = regions[region - cycle];
        }

        return region;
    }

    // As the kernel: digits until there are no more, none at all are 0, and high ones that do not fit are lost.
    private static ulong TakeHex(ref ReadOnlySpan<char> text)
    {
        ulong value = 0;
        while (text.Length > 0 && char.IsAsciiHexDigit(text[0]))
        {
            value = (value << 4) | (uint)(char.IsAsciiDigit(text[0]) ? text[0] - '0' : (text[0] | 0x20) - 'a' + 10);
            text = text[1..];
        }

        return value;
    }

    private static DmException Malformed(int index, string word) => Refuse(index, word, "none of REGION:PATH, :PATH and RCYCLE,COUNT, in hexadecimal");

    private static DmException Refuse(int index, string word, string reason) =>
        new(Errno.EINVAL, $"switch: set_region_mappings: argument {index} ('{word}'): {reason}");
}
