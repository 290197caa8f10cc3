using DeviceMapper;
using DeviceMapper.Native;

namespace Udm.Verbs;

/// <summary>Replaces live tables by one error target.</summary>
internal sealed class WipeTableVerb : DeviceVerb
{
    /// <inheritdoc/>
    public override string Name => "wipe_table";

    /// <inheritdoc/>
    public override string Usage => "[-f|--force] [--noflush] [--nolockfs] DEVICE...";

    /// <inheritdoc/>
    public override string Summary => "Replaces the table by one whose I/O fails.";

    /// <inheritdoc/>
    public override string Help =>
        """
        Who has the device open keeps it, and gets I/O errors. Its devices are let go.

          -f, --force             does not wait for I/O that targets hold back, as --noflush --nolockfs
          --noflush, --nolockfs   as of 'resume'

        Example:
          udm wipe_table data
        """;

    /// <inheritdoc/>
    public override int Run(VerbContext context) =>
        context.Operands.Count == 0 && !context.Options.Has(Option.Select) ? throw new UsageException("no device is named") : base.Run(context);

    /// <inheritdoc/>
    protected override bool PrintsDevices => false;

    /// <inheritdoc/>
    protected override void RunOn(VerbContext context, DeviceSelector device, bool several)
    {
        if (device.Shown.Length == 0)
        {
            throw new VerbException("an empty name is no device's");
        }

        if (!ErrorTable.Replace(context, device))
        {
            throw new DmException(Errno.EINVAL, "it has no live table that errors could replace");
        }
    }
}
