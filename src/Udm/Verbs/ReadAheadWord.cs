using Udm.Statistics;

namespace Udm.Verbs;

/// <summary>The value of <c>--readahead</c>: <c>auto</c> leaves what the table sets, <c>none</c> is 0, <c>N</c> sectors, <c>+N</c> at least N.</summary>
internal static class ReadAheadWord
{
    private const uint Auto = uint.MaxValue; // libdm's, which -1 is too

    /// <summary>What is wrong with the value; null where nothing is.</summary>
    public static string? Problem(string? word) =>
        word is not null && (int)Sectors(word) < -1 ? $"--readahead: '{word}' is none of auto, none, N and +N" : null;

    /// <summary>Sets the read-ahead of a device that has been resumed, as it is asked for.</summary>
    /// <returns>What it is like then.</returns>
    public static DeviceInfo Apply(VerbContext context, DeviceSelector device, DeviceInfo resumed)
    {
        string? word = context.Options.Value(Option.ReadAhead);
        uint sectors = word is null ? Auto : Sectors(word);
        bool keeps = sectors == Auto || (word!.TrimStart().StartsWith('+') && sectors <= resumed.ReadAhead);
        return keeps ? resumed : context.Devices.SetReadAhead(device, (sectors + 1) / 2 * 2); // as libdm, which writes read_ahead_kb
    }

    private static uint Sectors(string word) =>
        word.Equals("auto", StringComparison.OrdinalIgnoreCase) ? Auto
        : word.Equals("none", StringComparison.OrdinalIgnoreCase) ? 0
        : (uint)NumberPrefix.Int32(word);
}
