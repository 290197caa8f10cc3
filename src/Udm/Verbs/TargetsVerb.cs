using DeviceMapper.Ioctl;
using Udm.Reports;

namespace Udm.Verbs;

/// <summary>Lists target types.</summary>
internal sealed class TargetsVerb : Verb
{
    /// <inheritdoc/>
    public override string Name => "targets";

    /// <inheritdoc/>
    public override string Usage => "[--json]";

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
        Write(context, context.Devices.TargetTypes());
        return 0;
    }

    /// <summary>Prints types, as they come.</summary>
    public static void Write(VerbContext context, IEnumerable<ListedTargetType> types)
    {
        using JsonList? json = context.PrintsJson ? new JsonList(context.Out, "targets") : null;
        foreach (ListedTargetType type in types)
        {
            if (json is null)
            {
                context.Out.WriteLine($"{type.Name,-16} v{type.Version}");
                continue;
            }

            json.Writer.WriteStartObject();
            json.Writer.WriteString("name", type.Name);
            json.Writer.WriteString("version", type.Version.ToString());
            json.Writer.WriteEndObject();
        }
    }
}
