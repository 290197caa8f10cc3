namespace Udm.Verbs;

/// <summary>Makes the files of devices; they are always there.</summary>
internal sealed class MakeNodesVerb : Verb
{
    /// <inheritdoc/>
    public override string Name => "mknodes";

    /// <inheritdoc/>
    public override string Usage => "[DEVICE...]";

    /// <inheritdoc/>
    public override string Summary => "Does nothing: the files of devices come and go with them.";

    /// <inheritdoc/>
    public override string Help =>
        """
        It succeeds for devices that are not there, as dmsetup's.

        Example:
          udm mknodes
        """;

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        _ = context.Devices;
        return 0;
    }
}
