using DeviceMapper;
using DeviceMapper.Ioctl;
using Udm.Reports;

namespace Udm.Verbs;

/// <summary>
/// A verb that works on devices: on those that are named, one after the other until one fails; or on the one that <c>-u</c> or
/// <c>-j</c> and <c>-m</c> select; or, where that makes sense, on all.
/// </summary>
internal abstract class DeviceVerb : Verb
{
    /// <summary>Whether it works on all devices when none is named.</summary>
    protected virtual bool DefaultsToAll => false;

    /// <summary>Whether <c>-S</c> chooses the devices; else it concerns a report.</summary>
    protected virtual bool SelectsDevices => true;

    /// <summary>Whether it prints something of each device, so that <c>--json</c> makes a list of them.</summary>
    protected virtual bool PrintsDevices => true;

    /// <summary>What it asks of each device, so that it can be asked of many at once; null where it asks nothing, or changes devices.</summary>
    protected virtual (DmCommand Command, DmFlags Flags)? Question(VerbContext context) => null;

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        using JsonList? json = context.Json = context.PrintsJson && PrintsDevices ? new JsonList(context.Out, "devices") : null;
        IReadOnlyList<string> operands = context.Operands;
        Func<DeviceSelector, bool>? selects = Selection(context);
        if (operands.Count > 0)
        {
            foreach (string operand in operands)
            {
                DeviceSelector device = context.Select(operand);
                if (selects?.Invoke(device) ?? true)
                {
                    RunOn(context, device, several: operands.Count > 1 || selects is not null);
                }
            }
        }
        else if (!context.IsSelectedByOption && (DefaultsToAll || selects is not null))
        {
            RunOnAll(context, selects);
        }
        else if (selects is null)
        {
            RunOn(context, context.Select(null), several: false);
        }
        else if (context.Devices.Find(context.Select(null), context.Flags) is { } found && DeviceSelector.ByName(found.Name, context.Mangling) is var device && selects(device))
        {
            RunOn(context, device, several: true);
        }

        return 0;
    }

    /// <summary>Works on a device.</summary>
    /// <param name="context">The verb's surroundings.</param>
    /// <param name="device">Which.</param>
    /// <param name="several">Whether there may be others, so that output names it.</param>
    protected abstract void RunOn(VerbContext context, DeviceSelector device, bool several);

    /// <summary>Whether a device that is there is one that <c>-S</c> selects; null where it selects none, since it is not given or means a report.</summary>
    private Func<DeviceSelector, bool>? Selection(VerbContext context)
    {
        if (!SelectsDevices || context.Options.Value(Option.Select) is not { } text)
        {
            return null;
        }

        Selection<DeviceRow> selection = DeviceColumns.Select(text);
        Lazy<DeviceTree> tree = new(() => new DeviceTree(context.Devices));
        return device => selection.Matches(new DeviceRow(
            context.Devices.Find(device, context.Flags) ?? throw new VerbException("no mapped device is called so"), context.Devices, tree));
    }

    private void RunOnAll(VerbContext context, Func<DeviceSelector, bool>? selects)
    {
        IReadOnlyList<NamedDevice> devices = context.Devices.List();
        if (devices.Count == 0 && !context.PrintsJson)
        {
            context.Out.WriteLine("No devices found");
        }

        (DmCommand Command, DmFlags Flags)? question = selects is null ? Question(context) : (DmCommand.DevStatus, context.Flags);
        foreach (NamedDevice device in context.Devices.AskingAhead(devices, question))
        {
            try
            {
                context.Device = device.Name;
                DeviceSelector selector = DeviceSelector.ByName(device.Name, context.Mangling);
                if (selects?.Invoke(selector) ?? true)
                {
                    RunOn(context, selector, several: true);
                }
            }
            catch (Exception problem) when (problem is DmException or VerbException)
            {
                // As dmsetup: the others are still worked on.
                context.Report(problem);
            }
        }
    }
}
