using DeviceMapper.Io;
using DeviceMapper.Mapping;
using Udm.Daemon;

namespace Udm.Verbs;

/// <summary>The order in which devices can be made: each after those that its table names.</summary>
internal static class StackingOrder
{
    /// <summary>Puts devices in order; those that do not name one another stay as they come.</summary>
    public static IReadOnlyList<FileDevice> Of(IReadOnlyList<FileDevice> devices)
    {
        Dictionary<string, FileDevice> byName = [];
        Dictionary<uint, FileDevice> byMinor = [];
        foreach (FileDevice device in devices)
        {
            byName.TryAdd(device.Device.Name, device);
            if (device.Device.Minor is { } minor)
            {
                byMinor.TryAdd(minor, device);
            }
        }

        List<FileDevice> ordered = new(devices.Count);
        HashSet<FileDevice> seen = new(ReferenceEqualityComparer.Instance);
        foreach (FileDevice device in devices)
        {
            Add(device);
        }

        return ordered;

        void Add(FileDevice device)
        {
            if (!seen.Add(device))
            {
                return; // it has its place, or the devices stand on one another in a ring
            }

            foreach (string word in TableParser.SplitWords(device.Device.Table))
            {
                FileDevice? below = word.Contains('/') ? byName.GetValueOrDefault(word[(word.LastIndexOf('/') + 1)..])
                    : DeviceNumber.TryParse(word, out DeviceNumber number) ? byMinor.GetValueOrDefault(number.Minor)
                    : null;
                if (below is not null)
                {
                    Add(below);
                }
            }

            ordered.Add(device);
        }
    }

    /// <summary>Whether a device's table names another.</summary>
    public static bool Mentions(ConciseDevice device, ConciseDevice other) =>
        TableParser.SplitWords(device.Table).Any(word =>
            word.EndsWith("/" + other.Name, StringComparison.Ordinal)
            || (other.Minor is { } minor && DeviceNumber.TryParse(word, out DeviceNumber number) && number.Minor == minor));
}
