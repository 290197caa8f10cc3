namespace Udm.Verbs;

/// <summary>How <c>ls</c> and <c>deps</c> show devices (<c>-o</c>).</summary>
internal enum DeviceNaming
{
    /// <summary>By number.</summary>
    Number,

    /// <summary>By the kernel's name.</summary>
    Block,

    /// <summary>By the kernel's name, but mapped devices by their own.</summary>
    Mapped,
}

/// <summary>Reads <see cref="DeviceNaming"/>.</summary>
internal static class DeviceNamings
{
    private static readonly string[] Words = ["devno", "blkdevname", "devname"];

    /// <summary>Reads <c>-o</c>; its words may be shortened, and the last one counts.</summary>
    /// <exception cref="UsageException">A word is unknown.</exception>
    public static DeviceNaming Parse(CommandLine options)
    {
        DeviceNaming naming = DeviceNaming.Number;
        foreach (string word in (options.Value(Option.Fields) ?? "").TrimEnd(',').Split(','))
        {
            int known = Array.FindIndex(Words, form => form.StartsWith(word, StringComparison.Ordinal));
            naming = known >= 0 ? (DeviceNaming)known : throw new UsageException($"-o: '{word}' is none of {string.Join(", ", Words)}; columns are for 'info -c'");
        }

        return naming;
    }
}
