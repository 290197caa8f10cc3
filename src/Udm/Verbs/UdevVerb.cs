using System.Globalization;
using Udm.Reports;

namespace Udm.Verbs;

/// <summary>dmsetup's verbs for the cookies of udev. There is no udev here: they answer as dmsetup does without one.</summary>
/// <param name="name">Which of them.</param>
internal sealed class UdevVerb(string name) : Verb
{
    private const int FlagsShift = 16; // a cookie: flags above, a number below

    private static readonly string[] Flags =
    [
        "DM_UDEV_DISABLE_DM_RULES_FLAG", "DM_UDEV_DISABLE_SUBSYSTEM_RULES_FLAG", "DM_UDEV_DISABLE_DISK_RULES_FLAG", "DM_UDEV_DISABLE_OTHER_RULES_FLAG",
        "DM_UDEV_LOW_PRIORITY_FLAG", "DM_UDEV_DISABLE_LIBRARY_FALLBACK_FLAG", "DM_UDEV_PRIMARY_SOURCE_FLAG", "DM_UDEV_FLAG7",
    ];

    /// <summary>The verbs.</summary>
    public static IEnumerable<Verb> All =>
        ((string[])["udevcreatecookie", "udevreleasecookie", "udevflags", "udevcomplete", "udevcomplete_all", "udevcookies"]).Select(name => new UdevVerb(name));

    /// <inheritdoc/>
    public override string Name => name;

    /// <inheritdoc/>
    public override string Usage => name switch
    {
        "udevflags" or "udevcomplete" => "[--json] COOKIE",
        "udevcookies" => "[--json]",
        "udevreleasecookie" => "[COOKIE]",
        "udevcomplete_all" => "[-y] [--json] [MINUTES]",
        _ => "",
    };

    /// <inheritdoc/>
    public override string Summary => name switch
    {
        "udevflags" => "Prints the flags that a cookie of udev has, for a shell.",
        "udevcomplete" => "Says that a cookie of udev is completed.",
        "udevcookies" => "Lists the cookies of udev: none.",
        "udevcomplete_all" => "Says how many cookies of udev it has destroyed: none.",
        _ => "Does nothing: there is no udev.",
    };

    /// <inheritdoc/>
    public override string Help =>
        $"""
        For scripts that were written for dmsetup and udev.

        Example:
          udm {name}{(MinOperands > 0 ? " 0xd4d1234" : "")}
        """;

    /// <inheritdoc/>
    public override int MinOperands => name is "udevflags" or "udevcomplete" ? 1 : 0;

    /// <inheritdoc/>
    public override int MaxOperands => name is "udevflags" or "udevcomplete" or "udevreleasecookie" or "udevcomplete_all" ? 1 : 0;

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        switch (name)
        {
            case "udevflags":
                WriteFlags(context, FlagsOf(Cookie(context.Operands[0])));
                break;
            case "udevcomplete" when context.PrintsJson:
                JsonValues.Print(context.Out, json => json.WriteString("completed", $"0x{Cookie(context.Operands[0]):x}"));
                break;
            case "udevcomplete":
                context.Out.WriteLine($"DM_COOKIE_COMPLETED=0x{Cookie(context.Operands[0]),-10:x}");
                break;
            case "udevreleasecookie":
                _ = Cookie(CookieToRelease(context)); // nobody waits for udev
                break;
            case "udevcookies" when context.PrintsJson:
                new JsonList(context.Out, "cookies").Dispose();
                break;
            case "udevcookies":
                context.Out.WriteLine("Cookie       Semid      Value      Last semop time           Last change time");
                break;
            case "udevcomplete_all" when context.Operands.Count > 0 && !uint.TryParse(context.Operands[0], out _):
                throw new VerbException($"'{context.Operands[0]}' is not a number of minutes");
            case "udevcomplete_all" when context.PrintsJson:
                JsonValues.Print(context.Out, json =>
                {
                    json.WriteNumber("destroyed", 0);
                    json.WriteNumber("skipped", 0);
                });
                break;
            case "udevcomplete_all":
                context.Out.WriteLine("0 semaphores with keys prefixed by 3405 (0xd4d) destroyed. 0 skipped."); // there is nothing to ask about
                break;
        }

        return 0;
    }

    private static string CookieToRelease(VerbContext context) =>
        context.Operands.Count > 0 ? context.Operands[0]
        : Environment.GetEnvironmentVariable("DM_UDEV_COOKIE") is { Length: > 0 } cookie ? cookie
        : throw new VerbException("no cookie is given, nor by DM_UDEV_COOKIE");

    private static void WriteFlags(VerbContext context, IEnumerable<string> flags)
    {
        if (context.PrintsJson)
        {
            using JsonList json = new(context.Out, "flags");
            foreach (string flag in flags)
            {
                json.Writer.WriteStringValue(flag);
            }

            return;
        }

        foreach (string flag in flags)
        {
            context.Out.WriteLine($"{flag}='1'");
        }
    }

    private static IEnumerable<string> FlagsOf(uint cookie) => Enumerable.Range(0, 2 * Flags.Length)
        .Where(bit => (cookie >> FlagsShift >> bit & 1) != 0)
        .Select(bit => bit < Flags.Length ? Flags[bit] : $"DM_SUBSYSTEM_UDEV_FLAG{bit - Flags.Length}");

    // As strtoul with base 0: 0x is hexadecimal, a leading 0 octal.
    private static uint Cookie(string text)
    {
        ulong value = 0;
        bool known = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value)
            : text.Length > 1 && text[0] == '0' ? TryOctal(text, out value)
            : ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
        return known && value is > 0 and <= uint.MaxValue ? (uint)value : throw new VerbException($"'{text}' is not a cookie: a number from 1 to 0xffffffff");
    }

    private static bool TryOctal(string text, out ulong value)
    {
        value = 0;
        foreach (char c in text)
        {
            if (c is < '0' or > '7')
            {
                return false;
            }

            value = (value << 3) | (uint)(c - '0');
        }

        return true;
    }
}
