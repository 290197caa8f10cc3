using Udm.Daemon;

namespace Udm.Verbs;

/// <summary>Makes the devices of a file and serves them.</summary>
internal sealed class ServeVerb : Verb
{
    /// <inheritdoc/>
    public override string Name => "serve";

    /// <inheritdoc/>
    public override string Usage => "[--run DIR] FILE";

    /// <inheritdoc/>
    public override string Summary => "Makes the devices of a file, and serves them until SIGTERM.";

    /// <inheritdoc/>
    public override string Help =>
        """
        The file has dmsetup's concise format, or a section a device.

          --run DIR  its folder; else $UDM_RUN, else /run/udm for root, $XDG_RUNTIME_DIR/udm or /tmp/udm-UID

        Example:
          udm serve examples/quickstart.dm
        """;

    /// <inheritdoc/>
    public override int MinOperands => 1;

    /// <inheritdoc/>
    public override int MaxOperands => 1;

    /// <inheritdoc/>
    public override int WrongUsageStatus => 2;

    /// <inheritdoc/>
    public override int Run(VerbContext context) => ServeCommand.Run(context.Operands[0], new DaemonOptions(context.Options.Value(Option.Run)));
}
