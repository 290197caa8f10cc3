using DeviceMapper.Ioctl;

namespace Udm.Verbs;

/// <summary>Lists target types.</summary>
internal sealed class TargetsVerb : Verb
{
    /// <inheritdoc/>
    public override string Name => "targets";

    /// <inheritdoc/>
    public override string Usage => "";

    /// <inheritdoc/>
    public override string Summary => "Lists the target types that tables may have, with their versions.";

    /// <inheritdoc/>
    public override string Help =>
        """
        Example:
          udm targets
        """;

    /// <inheritdoc/>
    public override int MaxOperands => 0;

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        foreach (ListedTargetType type in context.Devices.TargetTypes())
        {
            context.Out.WriteLine(Line(type));
        }

        return 0;
    }

    /// <summary>How a type is printed.</summary>
    public static string Line(ListedTargetType type) => $"{type.Name,-16} v{type.Version}";
}
