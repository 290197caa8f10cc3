using DeviceMapper.Ioctl;
using Udm.Reports;

namespace Udm.Verbs;

/// <summary>Makes block devices of mapped devices, one at a time.</summary>
internal sealed class BlockVerb : Verb
{
    /// <inheritdoc/>
    public override string Name => "block";

    /// <inheritdoc/>
    public override string Usage => "ls [--json]\nshow [--json] DEVICE\nattach [--json] DEVICE\ndetach DEVICE";

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
        string answer = daemon.Ask(context.Operands.Prepend(Name));
        if (context.PrintsJson && context.Operands[0] != "detach")
        {
            WriteJson(context, answer);
        }
        else
        {
            context.Out.Write(answer);
        }

        return 0;
    }

    private static void WriteJson(VerbContext context, string answer)
    {
        using JsonList json = new(context.Out, "devices");
        foreach (string[] fields in answer.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')))
        {
            json.Writer.WriteStartObject();
            json.Writer.WriteString("name", fields[0]);
            json.Writer.WriteString("block_number", fields[1]);
            json.Writer.WriteString("node", fields[2]);
            json.Writer.WriteEndObject();
        }
    }
}
