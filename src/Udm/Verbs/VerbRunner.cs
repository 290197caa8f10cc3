using DeviceMapper;
using Udm.Reports;

namespace Udm.Verbs;

/// <summary>Runs the verb of a command line, and turns what goes wrong into a line on standard error and an exit status.</summary>
internal static class VerbRunner
{
    /// <summary>Runs it.</summary>
    /// <returns>The exit status.</returns>
    public static int Run(VerbContext context)
    {
        CommandLine line = context.Options;
        Verb? verb = line.Verb is null ? null : VerbTable.Find(line.Verb);
        try
        {
            Check(line);
            if (line.Has(Option.Help))
            {
                return ShowHelp(context, verb);
            }

            if (line.Has(Option.Version))
            {
                return Finish(context, new VersionVerb()); // whatever the verb, as dmsetup
            }

            if (line.Verb is null)
            {
                return ShowUsage(context);
            }

            if (verb is null)
            {
                throw new VerbException($"'{line.Verb}' is no verb{(VerbTable.Nearest(line.Verb) is { } near ? $": did you mean '{near.Name}'?" : ";")} see udm --help");
            }

            if (line.Operands.Count < verb.MinOperands)
            {
                throw new UsageException($"too few operands: it is used as '{HelpVerb.UsageOf(verb).First().Trim()}'");
            }

            if (line.Operands.Count > verb.MaxOperands)
            {
                throw new UsageException($"'{line.Operands[verb.MaxOperands]}' is one operand too many");
            }

            CheckOwnOptions(line, verb);
            return Finish(context, verb);
        }
        catch (UsageException problem)
        {
            context.Report(problem);
            return verb?.WrongUsageStatus ?? 1;
        }
        catch (Exception problem) when (problem is DmException or VerbException)
        {
            context.Report(problem);
            return 1;
        }
        finally
        {
            context.Out.Flush();
        }
    }

    private static int Finish(VerbContext context, Verb verb)
    {
        int status = 0;
        context.VerboseRows = DeviceReport.Of(context, verb);
        if (verb.RepeatsItself(context.Options))
        {
            status = verb.Run(context);
        }
        else
        {
            Repetition.Run(context, () => status = RunOnce(context, verb), emptyLines: false);
        }

        return context.Failed && status == 0 ? 1 : status;
    }

    private static int RunOnce(VerbContext context, Verb verb)
    {
        try
        {
            return verb.Run(context);
        }
        finally
        {
            context.VerboseRows?.Write(context.Out, ReportFormat.From(context.Options)); // also after a failure
        }
    }

    private static int ShowHelp(VerbContext context, Verb? verb)
    {
        if (verb is null)
        {
            HelpVerb.WriteAll(context.Out);
        }
        else
        {
            HelpVerb.WriteOne(context.Out, verb);
        }

        return 0;
    }

    private static int ShowUsage(VerbContext context)
    {
        HelpVerb.WriteAll(context.Error);
        return 1;
    }

    /// <summary>Refuses options of ours that a verb does not have; what dmsetup has is taken with any verb, as in dmsetup.</summary>
    private static void CheckOwnOptions(CommandLine line, Verb verb)
    {
        foreach (OptionForm form in OptionForm.All)
        {
            if (form.IsOwn && line.Has(form.Option) && !verb.OwnOptions.Contains(form.Option))
            {
                throw new UsageException($"it has no option --{form.Name}");
            }
        }
    }

    private static bool IsMode(string text) =>
        text.Length > 0 && !text.AsSpan().ContainsAnyExceptInRange('0', '7') && text.TrimStart('0').Length is > 0 and <= 4;

    /// <summary>What dmsetup checks of the options, whatever the verb.</summary>
    private static void Check(CommandLine line)
    {
        string? problem = line.Problem
            ?? (DeviceSelector.DeviceFolder is ['/', ..] ? null : $"DM_DEV_DIR: '{DeviceSelector.DeviceFolder}' is no absolute path")
            ?? (line.Has(Option.Major) != line.Has(Option.Minor) ? "--major and --minor go together"
            : line.Has(Option.Table) && line.Has(Option.NoTable) ? "--table and --notable exclude each other"
            : line.Has(Option.AddNodeOnCreate) && line.Has(Option.AddNodeOnResume) ? "--addnodeoncreate and --addnodeonresume exclude each other"
            : line.Value(Option.MangleName) is { } mode && !NameMangling.TryParse(mode, out _) ? $"--manglename: '{mode}' is none of none, hex, auto"
            : line.Value(Option.Mode) is { } bits && !IsMode(bits) ? $"--mode: '{bits}' is no octal number of permissions, as 640"
            : ReadAheadWord.Problem(line.Value(Option.ReadAhead)));
        if (problem is not null)
        {
            throw new UsageException(problem);
        }
    }
}
