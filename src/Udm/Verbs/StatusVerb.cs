using DeviceMapper;
using DeviceMapper.Ioctl;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace Udm.Verbs;

/// <summary>Prints the status of targets.</summary>
internal class StatusVerb : TargetTextVerb
{
    /// <inheritdoc/>
    public override string Name => "status";

    /// <inheritdoc/>
    public override string Usage => "[--target TYPE] [--inactive] [--noflush] [-v] [--json] [DEVICE...]";

    /// <inheritdoc/>
    public override string Summary => "Prints the status of each target of a table.";

    /// <inheritdoc/>
    public override string Help =>
        """
          --target TYPE  only targets of the type, and devices that have one
          --inactive     of the inactive table
          --noflush      targets make nothing durable for it
          --exec COMMAND in place of that runs the command with each device's path as its last argument
          -v             prints what the device is like before

        Example:
          udm status --target striped
        """;

    /// <inheritdoc/>
    protected override DmFlags Kind => DmFlags.None;

    /// <inheritdoc/>
    protected override string TextKey => "status";

    /// <inheritdoc/>
    protected override (DeviceInfo Device, IReadOnlyList<TargetText> Targets) Targets(VerbContext context, DeviceSelector device)
    {
        try
        {
            return base.Targets(context, device);
        }
        catch (DmException refusal) when (refusal.Errno == Errno.ENXIO)
        {
            // As dmsetup, which takes this answer of 'status', but not that of 'table', for no refusal.
            throw new VerbException("no mapped device is called so");
        }
    }
}
