using Udm.Reports;

namespace Udm.Verbs;

/// <summary>Prints help.</summary>
internal sealed class HelpVerb : Verb
{
    /// <inheritdoc/>
    public override string Name => "help";

    /// <inheritdoc/>
    public override string Usage => "[VERB]\n--markdown VERB\n-c|--columns [--json]";

    /// <inheritdoc/>
    public override string Summary => "Prints this, the help of a verb, or the columns of 'info -c'.";

    /// <inheritdoc/>
    public override string Help =>
        """
          --markdown  the verb's page in docs/verbs
          -c          the columns of 'info -c'

        Example:
          udm help create
        """;

    /// <inheritdoc/>
    public override IReadOnlyList<Option> OwnOptions => [Option.Markdown];

    /// <inheritdoc/>
    public override int MaxOperands => 1;

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        if (context.Options.Has(Option.Columns) && context.PrintsJson)
        {
            ColumnList.WriteJson(context.Out);
        }
        else if (context.Options.Has(Option.Columns))
        {
            ColumnList.Write(context.Out);
        }
        else if (context.Operands.Count == 0)
        {
            WriteAll(context.Out);
        }
        else
        {
            Verb verb = VerbTable.Find(context.Operands[0]) ?? throw new UsageException($"there is no verb '{context.Operands[0]}'");
            if (context.Options.Has(Option.Markdown))
            {
                VerbPage.Write(context.Out, verb);
            }
            else
            {
                WriteOne(context.Out, verb);
            }
        }

        return 0;
    }

    /// <summary>What every verb takes, a line each.</summary>
    public static string OptionsOfAllVerbs =>
        """
          --run DIR                    the daemon's folder; else $UDM_RUN, else /run/udm for root, $XDG_RUNTIME_DIR/udm or /tmp/udm-UID
          -u UUID, -j MAJOR -m MINOR   select a device in place of its name
          --manglename none|hex|auto   how odd characters of names are written; auto unless said
          --json                       what a verb prints, as JSON (docs/json.md)
          -h, --help; --version
        Options of dmsetup that mean nothing here (udev, nodes) are accepted.

        DEVICE is a name, or a path as /dev/mapper/NAME or DIR/mapper/NAME.
        """;

    /// <summary>How a verb is used, a line for each form.</summary>
    public static IEnumerable<string> UsageOf(Verb verb) =>
        verb.Usage.Split('\n').Select(line => line.StartsWith(' ') ? $"      {line}" : $"  udm {verb.Name} {line}".TrimEnd());

    /// <summary>Prints the help of a verb.</summary>
    public static void WriteOne(TextWriter output, Verb verb)
    {
        output.WriteLine($"Usage:");
        foreach (string line in UsageOf(verb))
        {
            output.WriteLine(line);
        }

        output.WriteLine();
        output.WriteLine(verb.Summary);
        output.WriteLine();
        output.WriteLine(verb.Help);
    }

    /// <summary>Prints the verbs.</summary>
    public static void WriteAll(TextWriter output)
    {
        output.WriteLine("udm: the Linux device mapper in user space. Its verbs are dmsetup's, and some more.");
        output.WriteLine();
        output.WriteLine("Usage:");
        output.WriteLine("  udm VERB [OPTIONS] [OPERANDS]");
        output.WriteLine();
        output.WriteLine("Verbs ('udm VERB --help' tells more):");
        int width = VerbTable.All.Max(verb => verb.Name.Length);
        foreach (Verb verb in VerbTable.All)
        {
            output.WriteLine($"  {verb.Name.PadRight(width)}  {verb.Summary}");
        }

        output.WriteLine();
        output.WriteLine("Options of all verbs:");
        output.WriteLine(OptionsOfAllVerbs);
    }
}
