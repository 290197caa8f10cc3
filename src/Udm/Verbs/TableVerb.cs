using DeviceMapper.Ioctl;
using DeviceMapper.Mapping;

namespace Udm.Verbs;

/// <summary>Prints tables.</summary>
internal sealed class TableVerb : TargetTextVerb
{
    private bool _hasWrittenConcise;

    /// <inheritdoc/>
    public override string Name => "table";

    /// <inheritdoc/>
    public override string Usage => "[--target TYPE] [--inactive] [--concise] [--showkeys] [-v] [--json] [DEVICE...]";

    /// <inheritdoc/>
    public override string Summary => "Prints tables, as 'load' and 'create' take them.";

    /// <inheritdoc/>
    public override string Help =>
        """
          --target TYPE  only targets of the type, and devices that have one
          --inactive     the inactive table
          --concise      devices and tables on one line, as 'create --concise' takes them
          --exec COMMAND in place of that runs the command with each device's path as its last argument
          --showkeys     shows encryption keys; without it they are zeroes
          -v             prints what the device is like before

        Example:
          udm table --concise > devices
        """;

    /// <inheritdoc/>
    protected override DmFlags Kind => DmFlags.StatusTable;

    /// <inheritdoc/>
    protected override string TextKey => "arguments";

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        try
        {
            return base.Run(context);
        }
        finally
        {
            if (_hasWrittenConcise)
            {
                context.Out.WriteLine();
            }
        }
    }

    /// <inheritdoc/>
    protected override void Write(VerbContext context, DeviceSelector device, DeviceInfo info, IReadOnlyList<TargetText> targets, bool several)
    {
        if (!context.Options.Has(Option.Concise) || context.PrintsJson)
        {
            base.Write(context, device, info, targets, several);
            return;
        }

        if (_hasWrittenConcise)
        {
            context.Out.Write(';');
        }

        _hasWrittenConcise = true;
        context.Out.Write($"{ConciseFormat.Escape(info.Name)},{ConciseFormat.Escape(info.Uuid)},{info.Number.Minor},{(info.IsReadOnly ? "ro" : "rw")}");
        foreach (TargetText target in targets)
        {
            string text = context.Options.Has(Option.ShowKeys) ? target.Text : KeyHiding.Hide(target.Type, target.Text);
            context.Out.Write($",{target.Start} {target.Length} {target.Type} {ConciseFormat.Escape(text)}");
        }
    }

    /// <inheritdoc/>
    protected override TargetText Shown(VerbContext context, TargetText target) =>
        context.Options.Has(Option.ShowKeys) ? target : target with { Text = KeyHiding.Hide(target.Type, target.Text) };
}
