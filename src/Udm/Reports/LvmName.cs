namespace Udm.Reports;

/// <summary>The parts of an LVM device's name, <c>VG-LV-LAYER</c>; a hyphen within a part is doubled, one at the end stands for itself.</summary>
internal readonly record struct LvmName(string VolumeGroup, string LogicalVolume, string Layer)
{
    /// <summary>Splits a name.</summary>
    public static LvmName Split(string name)
    {
        (string group, string rest) = Cut(name);
        (string volume, string layer) = Cut(rest);
        return new(group, volume, Cut(layer).Part);
    }

    private static (string Part, string After) Cut(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '-' || i == text.Length - 1)
            {
                continue;
            }

            if (text[i + 1] == '-')
            {
                i++;
                continue;
            }

            return (text[..i].Replace("--", "-", StringComparison.Ordinal), text[(i + 1)..]);
        }

        return (text.Replace("--", "-", StringComparison.Ordinal), "");
    }
}
