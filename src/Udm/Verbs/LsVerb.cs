using DeviceMapper;
using DeviceMapper.Ioctl;
using DeviceMapper.Mapping;
using Udm.Reports;

namespace Udm.Verbs;

/// <summary>Lists devices.</summary>
internal sealed class LsVerb : Verb
{
    /// <inheritdoc/>
    public override string Name => "ls";

    /// <inheritdoc/>
    public override string Usage =>
        """
        [-o devno|blkdevname|devname] [--json]
        --target TYPE [--exec COMMAND] [--json]
        --tree [-o OPTIONS] [--json]
        """;

    /// <inheritdoc/>
    public override string Summary => "Lists devices, or draws which device uses which.";

    /// <inheritdoc/>
    public override string Help =>
        """
          -o devno|blkdevname|devname  shows numbers, the kernel's names, or own names
          --target TYPE                only devices whose table has a target of the type
          --exec COMMAND               runs the command with each device's path as its last argument
          --tree                       draws the tree; -o takes words, separated by commas:
                                       ascii, utf, vt100: the characters; compact, inverted, notrunc: the form;
                                       device, nodevice, blkdevname, active, open, rw, uuid: what is shown

        Example:
          udm ls --tree -o ascii,open
        """;

    /// <inheritdoc/>
    public override int MaxOperands => 0;

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        if (context.Options.Has(Option.Tree) && !Filters(context))
        {
            TreeOptions options = TreeOptions.Parse(context.Options.Value(Option.Fields), context.TerminalWidth);
            DeviceTree tree = new(context.Devices);
            if (context.PrintsJson)
            {
                TreeJson.Write(context.Out, tree, options.Inverted);
            }
            else if (!SaysNone(context, tree.Devices))
            {
                TreeDrawing.Write(context.Out, tree, options);
            }

            return 0;
        }

        DeviceNaming naming = context.Options.Has(Option.Columns) || context.Options.Has(Option.Tree) ? DeviceNaming.Number : DeviceNamings.Parse(context.Options);
        IReadOnlyList<NamedDevice> devices = context.Devices.List();
        using JsonList? json = context.Json = context.PrintsJson ? new JsonList(context.Out, "devices") : null;
        if (json is null && SaysNone(context, devices))
        {
            return 0;
        }

        foreach (NamedDevice device in context.Devices.AskingAhead(devices, Question(context, naming)))
        {
            if (Filters(context))
            {
                ListMatching(context, device);
                continue;
            }

            if (json is not null)
            {
                DeviceJson.Write(json.Writer, device);
                continue;
            }

            context.Out.WriteLine($"{device.Name}\t({Shown(context, device, naming)})");
        }

        return 0;
    }

    /// <summary>What it asks of each device. A command may change those that come after.</summary>
    private static (DmCommand Command, DmFlags Flags)? Question(VerbContext context, DeviceNaming naming) =>
        !Filters(context) ? (naming is DeviceNaming.Number ? null : (DmCommand.DevStatus, DmFlags.None))
        : context.Options.Has(Option.Target) && !context.Options.Has(Option.Exec) ? (DmCommand.TableStatus, context.Flags)
        : null;

    /// <summary>A device that has never had a table has no node in the kernel, so only its number can be shown.</summary>
    private static string Shown(VerbContext context, NamedDevice device, DeviceNaming naming)
    {
        DeviceSelector selector = DeviceSelector.ByName(device.Name, context.Mangling);
        return naming is DeviceNaming.Number || context.Devices.Find(selector, DmFlags.None) is not { HasDisk: true } ? device.Number.ToString()
            : naming is DeviceNaming.Block ? BlockDeviceNames.OfMapped(device.Number)
            : selector.Name!;
    }

    private static bool Filters(VerbContext context) => context.Options.Has(Option.Target) || context.Options.Has(Option.Exec);

    private static bool SaysNone(VerbContext context, IReadOnlyList<NamedDevice> devices)
    {
        if (devices.Count == 0)
        {
            context.Out.WriteLine("No devices found");
        }

        return devices.Count == 0;
    }

    private static void ListMatching(VerbContext context, NamedDevice device)
    {
        context.Device = device.Name;
        try
        {
            DeviceSelector selector = DeviceSelector.ByName(device.Name, context.Mangling);
            string? type = context.Options.Value(Option.Target);
            if (type is not null && !context.Devices.Targets(selector, context.Flags).Targets.Any(target => target.Type == type))
            {
                return;
            }

            string? command = context.Options.Value(Option.Exec);
            if (context.Json is { } json)
            {
                DeviceJson.Write(json.Writer, device);
            }
            else if (command is null || context.Options.Has(Option.Verbose))
            {
                context.Out.WriteLine($"{device.Name}\t({device.Number.Major}, {device.Number.Minor})");
            }

            if (command is not null)
            {
                DeviceCommand.Run(context, command, selector.Name!);
            }
        }
        catch (Exception problem) when (problem is DmException or VerbException)
        {
            context.Report(problem);
        }
    }
}
