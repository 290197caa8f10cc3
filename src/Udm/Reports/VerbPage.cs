using Udm.Verbs;

namespace Udm.Reports;

/// <summary>The part of a verb's page in docs/verbs that is made of its help: example, usage, options.</summary>
internal static class VerbPage
{
    /// <summary>The last line of that part; what a page says after it is written by hand.</summary>
    public const string Mark = "<!-- The above is what `udm help --markdown VERB` prints: docs/verbs/update. -->";

    /// <summary>Prints it.</summary>
    public static void Write(TextWriter output, Verb verb)
    {
        string[] help = verb.Help.Split('\n');
        int examples = Array.FindIndex(help, line => line.StartsWith("Example", StringComparison.Ordinal));
        output.WriteLine($"# udm {verb.Name}");
        output.WriteLine();
        output.WriteLine(verb.Summary);
        output.WriteLine();
        WriteBlock(output, "sh", help[(examples + 1)..].Select(line => line[Math.Min(2, line.Length)..]));
        output.WriteLine("## Usage");
        output.WriteLine();
        WriteBlock(output, "text", HelpVerb.UsageOf(verb).Select(line => line[2..]));
        string[] rest = [.. help[..examples].SkipWhile(string.IsNullOrEmpty).Reverse().SkipWhile(string.IsNullOrEmpty).Reverse()];
        if (rest.Length > 0)
        {
            WriteBlock(output, "text", rest);
        }

        output.WriteLine("There are [options of all verbs](../README.md#options-of-all-verbs).");
        output.WriteLine();
        output.WriteLine(Mark);
    }

    private static void WriteBlock(TextWriter output, string language, IEnumerable<string> lines)
    {
        output.WriteLine($"```{language}");
        foreach (string line in lines)
        {
            output.WriteLine(line);
        }

        output.WriteLine("```");
        output.WriteLine();
    }
}
