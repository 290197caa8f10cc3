using Udm.Apply;
using Udm.Daemon;
using Udm.Reports;

namespace Udm.Verbs;

/// <summary>Brings the daemon's devices to what a file says.</summary>
internal sealed class ApplyVerb : Verb
{
    /// <inheritdoc/>
    public override string Name => "apply";

    /// <inheritdoc/>
    public override string Usage => "[--plan] [--prune] [--json] FILE|-";

    /// <inheritdoc/>
    public override string Summary => "Brings the devices to what a file says: all of it, or nothing.";

    /// <inheritdoc/>
    public override string Help =>
        """
        The file is as 'serve' takes it. Devices that are missing are made, those whose tables differ get the file's, each after
        those that it stands on, and those whose uuid has another name are renamed. Each step is a line. Where one fails, what was done is
        undone. Done again, it says 'nothing to do'.

          --plan   prints the steps, and does nothing
          --prune  removes devices that are not in the file
          --json   the steps as JSON

        Exit status: 0 the devices are what the file says (with --plan: there is a plan), 1 something failed, 2 wrong usage.

        Example:
          udm apply --plan examples/quickstart.dm
        """;

    /// <inheritdoc/>
    public override IReadOnlyList<Option> OwnOptions => [Option.Plan, Option.Prune];

    /// <inheritdoc/>
    public override int MinOperands => 1;

    /// <inheritdoc/>
    public override int MaxOperands => 1;

    /// <inheritdoc/>
    public override int WrongUsageStatus => 2;

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        string file = context.Operands[0];
        string text = file == "-" ? context.In.ReadToEnd() : TextFile.Read(file);
        IReadOnlyList<FileDevice> devices = DeviceFile.Parse(
            text, (line, sentence) => throw new VerbException($"{file}: {(line is null ? "" : $"line {line}: ")}{sentence}"));
        if (devices.Count == 0)
        {
            throw new VerbException($"{file}: no device is in it");
        }

        IReadOnlyList<Step> steps = Plan.Make(context, devices, context.Options.Has(Option.Prune));
        if (!context.Options.Has(Option.Plan))
        {
            Transaction.Run(context, steps);
        }

        Write(context, steps);
        return 0;
    }

    private static void Write(VerbContext context, IReadOnlyList<Step> steps)
    {
        if (!context.PrintsJson)
        {
            foreach (string line in steps.Count > 0 ? steps.Select(step => step.ToString()) : ["nothing to do"])
            {
                context.Out.WriteLine(line);
            }

            return;
        }

        using JsonList json = new(context.Out, "steps");
        foreach (Step step in steps)
        {
            json.Writer.WriteStartObject();
            json.Writer.WriteString("action", step.Word);
            json.Writer.WriteString("name", step.Name);
            json.Writer.WriteString("new_name", step.Action == StepAction.Rename ? step.Wanted!.Name : null);
            json.Writer.WriteEndObject();
        }
    }
}
