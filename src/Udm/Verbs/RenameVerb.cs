using DeviceMapper.Ioctl;

namespace Udm.Verbs;

/// <summary>Renames a device, or gives it a uuid.</summary>
internal sealed class RenameVerb : Verb
{
    /// <inheritdoc/>
    public override string Name => "rename";

    /// <inheritdoc/>
    public override string Usage => "DEVICE NEW-NAME\nDEVICE --setuuid UUID";

    /// <inheritdoc/>
    public override string Summary => "Renames a device, or gives a uuid to one that has none.";

    /// <inheritdoc/>
    public override string Help =>
        """
          --setuuid  the second operand is a uuid; it can be given once

        Example:
          udm rename data data-old
        """;

    /// <inheritdoc/>
    public override int MinOperands => 1;

    /// <inheritdoc/>
    public override int MaxOperands => 2;

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        if (context.Operands.Count == 1 && !context.IsSelectedByOption)
        {
            throw new UsageException(context.Options.Has(Option.SetUuid) ? "a device and its uuid are expected" : "a device and its new name are expected");
        }

        DeviceSelector device = context.Select(context.Operands.Count == 2 ? context.Operands[0] : null);
        string text = context.Operands[^1];
        if (context.Options.Has(Option.SetUuid))
        {
            context.Devices.Rename(device, NameMangling.ToDaemon(text, "uuid", DmIoctl.MaxUuidLength, context.Mangling), context.Flags | DmFlags.Uuid);
        }
        else
        {
            context.Devices.Rename(device, NewName(text, context.Mangling), context.Flags);
        }

        return 0;
    }

    /// <summary>A new name in the daemon's form.</summary>
    /// <exception cref="VerbException">It cannot be a name.</exception>
    internal static string NewName(string name, ManglingMode mangling)
    {
        if (name.Length == 0)
        {
            throw new VerbException("the new name is empty");
        }

        if (name.Contains('/'))
        {
            throw new VerbException($"the name '{name}' has a slash, which names cannot have");
        }

        return NameMangling.ToDaemon(name, "name", DmIoctl.MaxNameLength, mangling);
    }
}
