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
        if (operands.Count > 0)
        {
            foreach (string operand in operands)
            {
                RunOn(context, context.Select(operand), operands.Count > 1);
            }
        }
        else if (!context.IsSelectedByOption && (DefaultsToAll || Selects(context)))
        {
            RunOnAll(context);
        }
        else
        {
            RunOn(context, context.Select(null), several: false);
        }

        return 0;
    }

    /// <summary>Works on a device.</summary>
    /// <param name="context">The verb's surroundings.</param>
    /// <param name="device">Which.</param>
    /// <param name="several">Whether there may be others, so that output names it.</param>
    protected abstract void RunOn(VerbContext context, DeviceSelector device, bool several);

    private bool Selects(VerbContext context) => SelectsDevices && context.Options.Has(Option.Select);

    private void RunOnAll(VerbContext context)
    {
        IReadOnlyList<NamedDevice> devices = context.Devices.List();
        if (devices.Count == 0 && !context.PrintsJson)
        {
            context.Out.WriteLine("No devices found");
        }

        Lazy<DeviceTree> tree = new(() => new DeviceTree(context.Devices));
        Selection<DeviceRow>? selection = Selects(context) ? DeviceColumns.Select(context.Options.Value(Option.Select)!) : null;
        (DmCommand Command, DmFlags Flags)? question = selection is null ? Question(context) : (DmCommand.DevStatus, context.Flags);
        foreach (NamedDevice device in context.Devices.AskingAhead(devices, question))
        {
            try
            {
                context.Device = device.Name;
                DeviceSelector selector = DeviceSelector.ByName(device.Name, context.Mangling);
                if (selection is null || (context.Devices.Find(selector, context.Flags) is { } info && selection.Matches(new DeviceRow(info, context.Devices, tree))))
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
