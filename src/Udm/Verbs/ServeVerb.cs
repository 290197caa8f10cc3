using Udm.Daemon;

namespace Udm.Verbs;

/// <summary>Makes the devices of a file and serves them.</summary>
internal sealed class ServeVerb : Verb
{
    /// <inheritdoc/>
    public override string Name => "serve";

    /// <inheritdoc/>
    public override string Usage => "[--run DIR] [--block] [--nbd WHERE]... [--no-space-timeout SECONDS] [--verity-certificates FILE.pem] FILE";

    /// <inheritdoc/>
    public override string Summary => "Makes the devices of a file, and serves them until SIGTERM.";

    /// <inheritdoc/>
    public override string Help =>
        """
        The file has a section for each device: its name in brackets, with uuid=UUID, minor=N and ro where they are
        wanted, then its table, a line a target. Or it has dmsetup's concise format, as 'udm table --concise' prints it.
        Relative paths in it are meant from the current folder. All its devices are made, or none.

          --run DIR    its folder; else $UDM_RUN, else /run/udm for root, $XDG_RUNTIME_DIR/udm or /tmp/udm-UID
          --block      each device is a block device too: /dev/mapper/NAME leads to its loop device. Needs root
          --nbd WHERE  where NBD is served besides the socket DIR/nbd: tcp://127.0.0.1:10809, or unix:PATH; with
                       ?tls=FOLDER under TLS; beyond this machine ?plain has to say that there is no TLS
          --no-space-timeout SECONDS
                       how long writes wait for room in a thin pool that is full, 60 s unless said; 0: for ever
          --verity-certificates FILE.pem
                       the certificates of those whose signatures of root hashes verity takes (root_hash_sig_key_desc)

        Example:
          udm serve examples/quickstart.dm
        """;

    /// <inheritdoc/>
    public override IReadOnlyList<Option> OwnOptions => [Option.Block, Option.Nbd, Option.NoSpaceTimeout, Option.VerityCertificates];

    /// <inheritdoc/>
    public override int MinOperands => 1;

    /// <inheritdoc/>
    public override int MaxOperands => 1;

    /// <inheritdoc/>
    public override int WrongUsageStatus => 2;

    /// <inheritdoc/>
    public override int Run(VerbContext context) =>
        ServeCommand.Run(context, context.Operands[0], DaemonOptions.Of(context));
}
