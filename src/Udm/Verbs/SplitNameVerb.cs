using Udm.Reports;

namespace Udm.Verbs;

/// <summary>Splits the name of an LVM device.</summary>
internal sealed class SplitNameVerb : Verb
{
    private const string Default = "vg_name,lv_name,lv_layer";

    private static readonly Column<SplitName>[] Columns =
    [
        new("splitname", "subsystem", "Subsys", 6, IsNumber: false, row => row.Subsystem, "who made it"),
        new("splitname", "vg_name", "VG", 4, IsNumber: false, row => row.Name.VolumeGroup ?? "", "LVM: the volume group"),
        new("splitname", "lv_name", "LV", 4, IsNumber: false, row => row.Name.LogicalVolume ?? "", "LVM: the logical volume"),
        new("splitname", "lv_layer", "LVLayer", 7, IsNumber: false, row => row.Name.Layer ?? "", "LVM: the layer of the logical volume"),
    ];

    /// <inheritdoc/>
    public override string Name => "splitname";

    /// <inheritdoc/>
    public override string Usage => "[-o COLUMNS] [--noheadings] [--nameprefixes] [--rows] [--json] NAME [SUBSYSTEM]";

    /// <inheritdoc/>
    public override string Summary => "Splits the name of an LVM device into volume group, logical volume and layer.";

    /// <inheritdoc/>
    public override string Help =>
        """
          -o COLUMNS      of subsystem, vg_name, lv_name, lv_layer; with a leading + besides the usual ones
          --noheadings, --separator, --nameprefixes, --unquoted, --rows, -S   as of 'info -c'

        The name need not be that of a device. Names of other subsystems than LVM have no parts.

        Example:
          udm splitname vg-home LVM
        """;

    /// <inheritdoc/>
    public override int MinOperands => 1;

    /// <inheritdoc/>
    public override int MaxOperands => 2;

    /// <inheritdoc/>
    public override bool RepeatsItself(CommandLine options) => true;

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        Repetition.Run(context, () => Report(context));
        return 0;
    }

    private static void Report(VerbContext context)
    {
        string fields = context.Options.Value(Option.Fields) ?? Default;
        Report<SplitName> report = new(Columns, fields.StartsWith('+') ? $"{Default},{fields[1..]}" : fields, context.Options.Value(Option.Sort) ?? "");
        string subsystem = context.Operands.Count == 2 ? context.Operands[1] : "LVM";
        SplitName row = new(subsystem, subsystem == "LVM" ? LvmName.Split(context.Operands[0]) : default);
        if (Selection<SplitName>.Parse(Columns, context.Options.Value(Option.Select) ?? "").Matches(row))
        {
            report.Add(row);
        }

        if (context.PrintsJson)
        {
            report.WriteJson(context.Out, "names");
        }
        else
        {
            report.Write(context.Out, ReportFormat.From(context.Options));
        }
    }

    private readonly record struct SplitName(string Subsystem, LvmName Name);
}
