using DeviceMapper.Ioctl;
using Udm.Reports;

namespace Udm.Verbs;

/// <summary>Lists the devices that tables use.</summary>
internal sealed class DepsVerb : DeviceVerb
{
    private DeviceNaming _naming;
    private IReadOnlyList<NamedDevice>? _devices;

    /// <inheritdoc/>
    public override string Name => "deps";

    /// <inheritdoc/>
    public override string Usage => "[-o devno|blkdevname|devname] [--inactive] [-v] [--json] [DEVICE...]";

    /// <inheritdoc/>
    public override string Summary => "Lists the devices that a device's table uses.";

    /// <inheritdoc/>
    public override string Help =>
        """
          -o devno       as major and minor number
          -o blkdevname  by the kernel's name; a file, memory or network device by its name in tables
          -o devname     likewise, but mapped devices by their own names
          --inactive     of the inactive table

        Example:
          udm deps -o devname data
        """;

    /// <inheritdoc/>
    protected override bool DefaultsToAll => true;

    /// <inheritdoc/>
    protected override (DmCommand Command, DmFlags Flags)? Question(VerbContext context) => (DmCommand.TableDeps, context.Flags);

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        _naming = context.Options.Has(Option.Columns) || context.Options.Has(Option.Tree) ? DeviceNaming.Number : DeviceNamings.Parse(context.Options);
        return base.Run(context);
    }

    /// <inheritdoc/>
    protected override void RunOn(VerbContext context, DeviceSelector device, bool several)
    {
        bool verbose = context.Options.Has(Option.Verbose);
        (DeviceInfo info, IReadOnlyList<ListedDependency> dependencies) = context.Devices.Dependencies(device, context.Flags);
        if (context.Json is { } json)
        {
            DeviceJson.Write(json.Writer, info, dependencies, _devices ??= context.Devices.List());
            return;
        }

        context.ShowIfVerbose(info);
        if (several && !verbose)
        {
            context.Out.Write($"{device.Shown}: ");
        }

        context.Out.Write($"{dependencies.Count} dependencies\t:");
        foreach (ListedDependency dependency in dependencies)
        {
            string? name = _naming == DeviceNaming.Number ? null
                : BlockDeviceNames.Of(dependency, _devices ??= context.Devices.List(), _naming == DeviceNaming.Mapped);
            context.Out.Write($" ({name ?? $"{dependency.Number.Major}, {dependency.Number.Minor}"})");
        }

        context.Out.WriteLine();
        if (several && verbose)
        {
            context.Out.WriteLine();
        }
    }
}
