using System.Text.Json;
using System.Text.RegularExpressions;
using DeviceMapper;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using Udm.Daemon;
using Udm.Reports;

namespace Udm.Verbs;

/// <summary>Finds all that is wrong with tables, and changes nothing.</summary>
internal sealed partial class CheckVerb : Verb
{
    private const string TableOption = "--table";
    private const string Nameless = "table that is checked"; // the name of a device that has none

    private int _problems;

    /// <inheritdoc/>
    public override string Name => "check";

    /// <inheritdoc/>
    public override string Usage => "[-r|--readonly] [--json] [FILE|-]...\n[-r|--readonly] [--json] --table TABLE";

    /// <inheritdoc/>
    public override string Summary => "Finds all that is wrong with tables and files of tables, and touches nothing.";

    /// <inheritdoc/>
    public override string Help =>
        """
        A FILE has a table, or several devices as 'serve' and 'create --concise' take them; without one, or with -, standard
        input is read. Each problem is a line on standard output, 'FILE:LINE: DEVICE: what is wrong', in the words with which
        'load' would refuse it. The devices that tables name are opened for reading, nothing is written, no file is made.
        A daemon is not needed; where one answers, tables may name its devices.

          --table TABLE   checks this table
          -r, --readonly  as for 'load --readonly'
          --json          the problems as JSON

        Exit status: 0 nothing is wrong, 1 something is, 2 wrong usage.

        Example:
          udm check examples/quickstart.dm
        """;

    /// <inheritdoc/>
    public override int WrongUsageStatus => 2;

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        if (context.Options.Has(Option.Table) && context.Operands.Count > 0)
        {
            throw new UsageException("--table goes without a file");
        }

        using JsonList? json = context.Options.Has(Option.Json) ? new JsonList(context.Out, "problems") : null;
        if (context.Options.Value(Option.Table) is { } table)
        {
            Check(context, json, TableOption, table);
        }
        else
        {
            foreach (string file in context.Operands.Count > 0 ? context.Operands : ["-"])
            {
                Check(context, json, file, file == "-" ? TableInput.ReadText(context, null) : TextFile.Read(file));
            }
        }

        return _problems == 0 ? 0 : 1;
    }

    private void Check(VerbContext context, JsonList? json, string file, string text)
    {
        bool hasDevices = file != TableOption && Devices().IsMatch(text);
        IReadOnlyList<FileDevice> devices = hasDevices
            ? DeviceFile.Parse(text, (line, sentence) => Tell(context, json, file, line, new FoundProblem("", null, null, sentence, null)))
            : [new FileDevice(new ConciseDevice(Nameless, "", null, context.Options.Has(Option.ReadOnly), text), 0)];
        if (text.Split('\n').All(line => line.AsSpan().TrimStart() is [] or ['#', ..]))
        {
            Tell(context, json, file, null, new FoundProblem("", null, null, "the table has no targets", null));
        }

        using DeviceCheck check = new(context, takesNames: false);
        foreach (FileDevice device in StackingOrder.Of(devices))
        {
            foreach (FoundProblem problem in check.Check(device))
            {
                Tell(context, json, file, LineOf(device, problem), hasDevices ? problem : problem with { Device = "" });
            }
        }
    }

    /// <summary>The line of the file; of a device whose table is not a line a target, that of its table.</summary>
    private static int? LineOf(FileDevice device, FoundProblem problem) => device.Line is > 0 and var header ? header + (problem.Line ?? 0) : problem.Line;

    private void Tell(VerbContext context, JsonList? json, string file, int? line, FoundProblem problem)
    {
        _problems++;
        if (json is null)
        {
            context.Out.WriteLine($"{file}:{(line is null ? "" : $"{line}:")} {(problem.Device.Length == 0 ? "" : $"{problem.Device}: ")}{problem.Sentence}");
            return;
        }

        Utf8JsonWriter writer = json.Writer;
        writer.WriteStartObject();
        writer.WriteString("file", file);
        JsonValues.Write(writer, "line", line);
        writer.WriteString("device", problem.Device.Length == 0 ? null : problem.Device);
        writer.WriteString("target", problem.Target);
        if (problem.Refusal?.Argument is { } argument)
        {
            writer.WriteStartObject("argument");
            writer.WriteNumber("number", argument.Number);
            writer.WriteString("name", argument.Name);
            writer.WriteString("value", argument.Value);
            writer.WriteEndObject();
        }
        else
        {
            writer.WriteNull("argument");
        }

        writer.WriteString("errno", problem.Refusal?.Errno.ToString());
        writer.WriteString("problem", problem.Sentence);
        writer.WriteEndObject();
    }

    /// <summary>A text of devices: a name in brackets, or what no line of a table starts with, up to a comma.</summary>
    [GeneratedRegex(@"\A(\s*(#[^\n]*)?\n)*\s*(\[|(?![+-]?[0-9]+\s)[^#\s][^\n]*,)")]
    private static partial Regex Devices();
}
