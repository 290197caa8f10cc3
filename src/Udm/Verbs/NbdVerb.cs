using System.Globalization;
using DeviceMapper.Ioctl;
using Udm.Reports;

namespace Udm.Verbs;

/// <summary>Shows and ends the connections of the NBD server.</summary>
internal sealed class NbdVerb : Verb
{
    /// <inheritdoc/>
    public override string Name => "nbd";

    /// <inheritdoc/>
    public override string Usage => "ls [--json]\ndisconnect CLIENT|DEVICE";

    /// <inheritdoc/>
    public override string Summary => "Shows the NBD clients, or disconnects one, or all of a device.";

    /// <inheritdoc/>
    public override string Help =>
        """
        'ls' prints a line a client, separated by tabs: its number, the device, its address, plain or tls, and how many
        requests it has made. 'disconnect' ends the connection of that number, or those of a device; what is under way is
        carried out, but not answered.

        Example:
          udm nbd disconnect disk
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
        bool lists = context.Operands is ["ls"];
        if (!lists && context.Operands is not ["disconnect", _])
        {
            throw new UsageException("'ls', or 'disconnect' and a client's number or a device expected");
        }

        using ControlClient daemon = new(context.Run.ControlSocket);
        string answer = daemon.Ask(context.Operands.Prepend(Name));
        if (lists && context.PrintsJson)
        {
            WriteJson(context, answer);
        }
        else if (lists)
        {
            context.Out.Write(answer);
        }

        return 0;
    }

    private static void WriteJson(VerbContext context, string answer)
    {
        using JsonList json = new(context.Out, "clients");
        foreach (string[] fields in answer.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')))
        {
            json.Writer.WriteStartObject();
            json.Writer.WriteNumber("number", long.Parse(fields[0], CultureInfo.InvariantCulture));
            json.Writer.WriteString("device", fields[1] == "-" ? null : fields[1]);
            json.Writer.WriteString("address", fields[2]);
            json.Writer.WriteBoolean("tls", fields[3] == "tls");
            json.Writer.WriteNumber("requests", long.Parse(fields[4], CultureInfo.InvariantCulture));
            json.Writer.WriteEndObject();
        }
    }
}
