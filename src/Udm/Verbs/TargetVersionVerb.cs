namespace Udm.Verbs;

/// <summary>Prints the versions of target types.</summary>
internal sealed class TargetVersionVerb : Verb
{
    /// <inheritdoc/>
    public override string Name => "target-version";

    /// <inheritdoc/>
    public override string Usage => "TYPE...";

    /// <inheritdoc/>
    public override string Summary => "Prints the versions of target types, by their names.";

    /// <inheritdoc/>
    public override string Help =>
        """
        Example:
          udm target-version linear striped
        """;

    /// <inheritdoc/>
    public override int MinOperands => 1;

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        foreach (string name in context.Operands)
        {
            context.Device = name;
            context.Out.WriteLine(TargetsVerb.Line(context.Devices.TargetType(name)));
        }

        return 0;
    }
}
