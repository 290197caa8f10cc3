namespace Udm.Verbs;

/// <summary>Sets the geometry of a device.</summary>
internal sealed class SetGeometryVerb : Verb
{
    /// <inheritdoc/>
    public override string Name => "setgeometry";

    /// <inheritdoc/>
    public override string Usage => "DEVICE CYLINDERS HEADS SECTORS START";

    /// <inheritdoc/>
    public override string Summary => "Sets the geometry that programs are told which still ask for one.";

    /// <inheritdoc/>
    public override string Help =>
        """
        At most 65535 cylinders, 255 heads and 255 sectors; START is the first sector on the disk, within the geometry.

        Example:
          udm setgeometry data 2 16 63 0
        """;

    /// <inheritdoc/>
    public override int MinOperands => 5;

    /// <inheritdoc/>
    public override int MaxOperands => 5;

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        // As dmsetup, which wants five operands with -u too, and then uses the first four.
        bool named = !context.IsSelectedByOption;
        context.Devices.SetGeometry(
            context.Select(named ? context.Operands[0] : null), string.Join(' ', context.Operands.Skip(named ? 1 : 0).Take(4)), context.Flags);
        return 0;
    }
}
