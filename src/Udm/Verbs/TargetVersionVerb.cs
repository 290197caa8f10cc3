namespace Udm.Verbs;

/// <summary>Prints the versions of target types.</summary>
internal sealed class TargetVersionVerb : Verb
{
    /// <inheritdoc/>
    public override string Name => "target-version";

    /// <inheritdoc/>
    public override string Usage => "[--json] TYPE...";

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
        TargetsVerb.Write(context, context.Operands.Select(name =>
        {
            context.Device = name;
            return context.Devices.TargetType(name);
        }));

        return 0;
    }
}
