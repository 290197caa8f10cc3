using Udm.Reports;

namespace Udm.Verbs;

/// <summary>Prints versions.</summary>
internal sealed class VersionVerb : Verb
{
    // The libdm whose behaviour the verbs have: scripts that parse dmsetup's version find what they expect.
    private const string LibraryVersion = "1.02.185 (2022-05-18)";

    /// <inheritdoc/>
    public override string Name => "version";

    /// <inheritdoc/>
    public override string Usage => "[--json]";

    /// <inheritdoc/>
    public override string Summary => "Prints the version of libdm that this program behaves as, and that of the daemon's ioctls.";

    /// <inheritdoc/>
    public override string Help =>
        """
        Example:
          udm version
        """;

    /// <inheritdoc/>
    public override int MaxOperands => 0;

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        if (context.PrintsJson)
        {
            string driver = context.Devices.Version().ToString();
            JsonValues.Print(context.Out, writer =>
            {
                writer.WriteString("library_version", LibraryVersion);
                writer.WriteString("driver_version", driver);
            });
            return 0;
        }

        context.Out.WriteLine($"Library version:   {LibraryVersion}");
        context.Out.WriteLine($"Driver version:    {context.Devices.Version()}");
        return 0;
    }
}
