using Udm.Verbs;

namespace Udm.Reports;

/// <summary>The characters that a tree is drawn with.</summary>
internal sealed record TreeSymbols(string Empty, string Branch, string Line, string Last, string Single, string First)
{
    public static readonly TreeSymbols Ascii = new("  ", "|-", "| ", "`-", "---", "-+-");
    public static readonly TreeSymbols Utf = new("  ", "├─", "│ ", "└─", "───", "─┬─");
    public static readonly TreeSymbols Vt100 = new("  ", Graphic("tq"), Graphic("x") + " ", Graphic("mq"), Graphic("qqq"), Graphic("qwq"));

    // The terminal's line-drawing set: select it, shift to it, and go back.
    private static string Graphic(string letters) => $"\e(0\x0f{letters}\e(B";
}

/// <summary>What <c>ls --tree -o</c> asks for.</summary>
internal sealed record TreeOptions
{
    private static readonly string[] Words =
        ["device", "blkdevname", "nodevice", "status", "table", "active", "open", "uuid", "rw", "utf", "vt100", "ascii", "inverted", "compact", "notrunc"];

    /// <summary>The characters.</summary>
    public TreeSymbols Symbols { get; private set; } = LocaleIsUtf8() ? TreeSymbols.Utf : TreeSymbols.Ascii;

    /// <summary>Whether numbers are shown.</summary>
    public bool Numbers { get; private set; } = true;

    /// <summary>Whether the kernel's names, or the table's for devices that are no block devices, are shown.</summary>
    public bool BlockNames { get; private set; }

    /// <summary>Whether it is shown if a device is active or suspended.</summary>
    public bool Active { get; private set; }

    /// <summary>Whether it is shown if a device is read-only.</summary>
    public bool Mode { get; private set; }

    /// <summary>Whether open counts are shown.</summary>
    public bool OpenCount { get; private set; }

    /// <summary>Whether uuids are shown.</summary>
    public bool Uuid { get; private set; }

    /// <summary>Whether the first child stands on its parent's line.</summary>
    public bool Compact { get; private set; }

    /// <summary>Whether users stand below what they use.</summary>
    public bool Inverted { get; private set; }

    /// <summary>The columns after which lines are cut; null: they are not.</summary>
    public int? Width { get; private set; }

    /// <summary>Whether attributes follow a device; a compact tree has no room for them.</summary>
    public bool HasAttributes => Active || Mode || OpenCount || Uuid;

    /// <summary>Reads the words, each of which may be shortened.</summary>
    /// <param name="text">Words separated by commas, or null.</param>
    /// <param name="terminalWidth">The terminal's columns; null if there is none.</param>
    /// <exception cref="UsageException">A word is unknown.</exception>
    public static TreeOptions Parse(string? text, int? terminalWidth)
    {
        TreeOptions options = new();
        bool truncate = true;
        bool targets = false;
        foreach (string word in (text ?? "").TrimEnd(',').Split(','))
        {
            // As dmsetup: the first word that it shortens, and an empty one is the first of all.
            switch (Array.Find(Words, known => known.StartsWith(word, StringComparison.Ordinal)))
            {
                case "device": options.Numbers = true; break;
                case "blkdevname": options.BlockNames = true; break;
                case "nodevice": options.Numbers = false; break;
                case "status" or "table": targets = true; break; // dmsetup knows these words, and shows nothing
                case "active": options.Active = true; break;
                case "open": options.OpenCount = true; break;
                case "uuid": options.Uuid = true; break;
                case "rw": options.Mode = true; break;
                case "utf": options.Symbols = TreeSymbols.Utf; break;
                case "vt100": options.Symbols = TreeSymbols.Vt100; break;
                case "ascii": options.Symbols = TreeSymbols.Ascii; break;
                case "inverted": options.Inverted = true; break;
                case "compact": options.Compact = true; break;
                case "notrunc": truncate = false; break;
                default: throw new UsageException($"'{word}' is no option of a tree: {string.Join(", ", Words)}");
            }
        }

        // A cut must not fall into a sequence of the terminal, so these lines are taken as 80 columns wide.
        options.Width = !truncate ? null : terminalWidth > 3 && options.Symbols != TreeSymbols.Vt100 ? terminalWidth - 3 : 80;
        options.Compact &= !options.HasAttributes && !targets;
        return options;
    }

    private static bool LocaleIsUtf8()
    {
        string? locale = new[] { "LC_ALL", "LC_CTYPE", "LANG" }.Select(Environment.GetEnvironmentVariable).FirstOrDefault(value => !string.IsNullOrEmpty(value));
        return locale is not null && (locale.EndsWith("utf-8", StringComparison.OrdinalIgnoreCase) || locale.EndsWith("utf8", StringComparison.OrdinalIgnoreCase));
    }
}
