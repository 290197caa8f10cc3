using DeviceMapper.Ioctl;

namespace Udm.Verbs;

/// <summary>Makes block devices of mapped devices, one at a time.</summary>
internal sealed class BlockVerb : Verb
{
    /// <inheritdoc/>
    public override string Name => "block";

    /// <inheritdoc/>
    public override string Usage => "ls\nshow DEVICE\nattach DEVICE\ndetach DEVICE";

    /// <inheritdoc/>
    public override string Summary => "Makes a device a block device, or ends that.";

    /// <inheritdoc/>
    public override string Help =>
        """
        The block device is a loop device on the device's file; /dev/mapper/DEVICE leads to it. 'udm daemon --block' does
        it for every device by itself. It needs root.

        'ls' prints a line for each, separated by tabs: the device, the number of its block device, and its node; 'show'
        that of one device, and 'attach' too. 'detach' is refused while the block device is open.

        Example:
          udm block attach disk && mount /dev/mapper/disk /mnt
        """;

    /// <inheritdoc/>
    public override int MinOperands => 1;

    /// <inheritdoc/>
    public override int MaxOperands => 2;

    /// <inheritdoc/>
    public override int WrongUsageStatus => 2;

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        if (context.Operands is not (["ls"] or ["show" or "attach" or "detach", _]))
        {
            throw new UsageException("'ls', or one of 'show', 'attach' and 'detach' and a device expected");
        }

        using ControlClient daemon = new(context.Run.ControlSocket);
        context.Out.Write(daemon.Ask(context.Operands.Prepend(Name)));
        return 0;
    }
}
