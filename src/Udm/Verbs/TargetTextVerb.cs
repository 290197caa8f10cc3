using DeviceMapper.Ioctl;
using DeviceMapper.Mapping;
using Udm.Reports;

namespace Udm.Verbs;

/// <summary>What <c>table</c> and <c>status</c> have in common: a line for each target of a table.</summary>
internal abstract class TargetTextVerb : DeviceVerb
{
    /// <inheritdoc/>
    protected override bool DefaultsToAll => true;

    /// <summary>The flags that choose between arguments and status.</summary>
    protected abstract DmFlags Kind { get; }

    /// <summary>The key of a target's text in JSON.</summary>
    protected abstract string TextKey { get; }

    /// <inheritdoc/>
    protected override (DmCommand Command, DmFlags Flags)? Question(VerbContext context) => (DmCommand.TableStatus, context.Flags | Kind);

    /// <inheritdoc/>
    protected override void RunOn(VerbContext context, DeviceSelector device, bool several)
    {
        (DeviceInfo info, IReadOnlyList<TargetText> all) = Targets(context, device);
        string? type = context.Options.Value(Option.Target);
        IReadOnlyList<TargetText> targets = type is null ? all : [.. all.Where(target => target.Type == type)];
        if (type is not null && targets.Count == 0)
        {
            return;
        }

        string? command = context.Options.Value(Option.Exec);
        if (command is null || context.Options.Has(Option.Verbose) || context.PrintsJson)
        {
            Write(context, device, info, targets, several);
        }

        if (command is not null)
        {
            DeviceCommand.Run(context, command, NameMangling.ToDaemon(info.Name, "name", DmIoctl.MaxNameLength, context.Mangling));
        }
    }

    /// <summary>Asks for the targets.</summary>
    protected virtual (DeviceInfo Device, IReadOnlyList<TargetText> Targets) Targets(VerbContext context, DeviceSelector device) =>
        context.Devices.Targets(device, context.Flags | Kind);

    /// <summary>Prints the targets of a device; a device without a table has an empty line.</summary>
    protected virtual void Write(VerbContext context, DeviceSelector device, DeviceInfo info, IReadOnlyList<TargetText> targets, bool several)
    {
        if (context.Json is { } json)
        {
            DeviceJson.Write(json.Writer, info, TextKey, [.. targets.Select(target => Shown(context, target))]);
            return;
        }

        bool verbose = context.Options.Has(Option.Verbose);
        context.ShowIfVerbose(info);
        string prefix = several && !verbose ? $"{device.Shown}: " : "";
        if (targets.Count == 0)
        {
            context.Out.WriteLine(prefix);
        }

        foreach (TargetText target in targets)
        {
            context.Out.WriteLine($"{prefix}{Line(context, target)}");
        }

        if (several && verbose)
        {
            context.Out.WriteLine();
        }
    }

    /// <summary>A target as it may be shown.</summary>
    protected virtual TargetText Shown(VerbContext context, TargetText target) => target;

    private string Line(VerbContext context, TargetText target)
    {
        TargetText shown = Shown(context, target);
        return $"{shown.Start} {shown.Length} {shown.Type} {shown.Text}";
    }
}
