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
        context.Devices.SetGeometry(context.Select(context.Operands[0]), string.Join(' ', context.Operands.Skip(1)), context.Flags);
        return 0;
    }
}
