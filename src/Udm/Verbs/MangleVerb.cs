using DeviceMapper.Ioctl;

namespace Udm.Verbs;

/// <summary>Renames devices to the mangled, or unmangled, form of their names.</summary>
internal sealed class MangleVerb : DeviceVerb
{
    /// <inheritdoc/>
    public override string Name => "mangle";

    /// <inheritdoc/>
    public override string Usage => "[--manglename none|hex|auto] [--json] [DEVICE...]";

    /// <inheritdoc/>
    public override string Summary => "Renames devices whose names are not mangled as they should be.";

    /// <inheritdoc/>
    public override string Help =>
        """
          --manglename auto  mangles names, unless they are mangled already (this is the default)
          --manglename none  makes mangled names plain

        Devices are named by the daemon's form of their names. Uuids cannot be changed.

        Example:
          udm mangle --manglename none
        """;

    /// <inheritdoc/>
    protected override bool DefaultsToAll => true;

    /// <inheritdoc/>
    protected override bool SelectsDevices => false; // as dmsetup

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        context.Mangling = ManglingMode.None;
        return base.Run(context);
    }

    /// <inheritdoc/>
    protected override void RunOn(VerbContext context, DeviceSelector device, bool several)
    {
        DeviceInfo info = context.Devices.Find(device, context.Flags) ?? throw new VerbException("no mapped device is called so");
        ManglingMode form = context.AskedMangling ?? ManglingMode.Auto;
        foreach ((string text, string what) in new[] { (info.Name, "name"), (info.Uuid, "uuid") })
        {
            if (form == ManglingMode.Auto && text.Contains(@"\x5cx", StringComparison.Ordinal))
            {
                throw new VerbException($"the {what} '{text}' seems to be mangled twice; 'rename --manglename none' can rename the device");
            }
        }

        string name = InForm(info.Name, "name", form);
        if (InForm(info.Uuid, "uuid", form) != info.Uuid)
        {
            throw new VerbException($"the uuid '{info.Uuid}' is not in that form, and a uuid cannot be changed");
        }

        if (context.Json is { } json)
        {
            json.Writer.WriteStartObject();
            json.Writer.WriteString("name", info.Name);
            json.Writer.WriteString("new_name", name);
            json.Writer.WriteEndObject();
            if (name != info.Name)
            {
                context.Devices.Rename(device, RenameVerb.NewName(name, ManglingMode.None), DmFlags.None);
            }

            return;
        }

        if (name == info.Name)
        {
            context.Out.WriteLine(info.Uuid.Length > 0
                ? $"{info.Name}: {info.Uuid}: name and UUID already in correct form"
                : $"{info.Name}: [no UUID]: name already in correct form");
            return;
        }

        context.Out.WriteLine($"{info.Name}: renaming to {name}");
        context.Devices.Rename(device, RenameVerb.NewName(name, ManglingMode.None), DmFlags.None);
    }

    private static string InForm(string text, string what, ManglingMode form) =>
        form == ManglingMode.None ? NameMangling.Unmangle(text) : NameMangling.Mangle(text, what, ManglingMode.Auto);
}
