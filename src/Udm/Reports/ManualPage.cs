using Udm.Verbs;

namespace Udm.Reports;

/// <summary>The manual page <c>udm(1)</c>, in the man macros of roff: a section of all verbs, made of their help.</summary>
internal static class ManualPage
{
    /// <summary>Prints it.</summary>
    public static void Write(TextWriter output)
    {
        output.WriteLine(
            """
            .TH UDM 1 "" "udm" "Linux device mapper in user space"
            .SH NAME
            udm \- the Linux device mapper in user space
            .SH SYNOPSIS
            .B udm
            .I VERB
            .RI [ OPTIONS ]
            .RI [ OPERANDS ]
            .SH DESCRIPTION
            Makes block devices out of files, disks, memory and each other, by tables of targets.
            A daemon has the devices; its verbs, their options, output and exit status are those of
            .BR dmsetup (8),
            and some more.
            .SH VERBS
            """);
        foreach (Verb verb in VerbTable.All)
        {
            output.WriteLine(".SS " + Roff(verb.Name));
            output.WriteLine(Roff(verb.Summary));
            output.WriteLine(".PP");
            WriteLiterally(output, HelpVerb.UsageOf(verb).Concat(["", .. verb.Help.Split('\n')]));
        }

        output.WriteLine(".SH OPTIONS OF ALL VERBS");
        WriteLiterally(output, HelpVerb.OptionsOfAllVerbs.Split('\n'));
        output.WriteLine(
            """
            .SH EXIT STATUS
            0; 1 where something failed, and for wrong usage of a verb that dmsetup has; 2 for wrong usage of the others.
            .SH SEE ALSO
            .BR dmsetup (8)
            """);
    }

    private static void WriteLiterally(TextWriter output, IEnumerable<string> lines)
    {
        output.WriteLine(".nf");
        foreach (string line in lines)
        {
            output.WriteLine(Roff(line));
        }

        output.WriteLine(".fi");
    }

    /// <summary>Escapes what has a meaning in roff: backslashes, hyphens, quotes that would be curled, and a control character in front.</summary>
    private static string Roff(string text)
    {
        string escaped = text.Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal)
            .Replace("'", "\\(aq", StringComparison.Ordinal).Replace("`", "\\(ga", StringComparison.Ordinal)
            .Replace("^", "\\(ha", StringComparison.Ordinal).Replace("~", "\\(ti", StringComparison.Ordinal);
        return escaped.StartsWith('.') ? "\\&" + escaped : escaped;
    }
}
