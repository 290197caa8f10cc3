using Udm.Daemon;

namespace Udm.Verbs;

/// <summary>Serves in the foreground.</summary>
internal sealed class DaemonVerb : Verb
{
    /// <inheritdoc/>
    public override string Name => "daemon";

    /// <inheritdoc/>
    public override string Usage => "[--run DIR] [--block] [--nbd WHERE]... [--no-space-timeout SECONDS] [--verity-certificates FILE.pem]";

    /// <inheritdoc/>
    public override string Summary => "Serves devices in the foreground, until SIGTERM.";

    /// <inheritdoc/>
    public override string Help =>
        """
        Prints 'ready' when it serves. Devices are files in DIR/mapper.

          --run DIR    its folder; else $UDM_RUN, else /run/udm for root, $XDG_RUNTIME_DIR/udm or /tmp/udm-UID
          --block      each device is a block device too: /dev/mapper/NAME leads to its loop device. Needs root
          --nbd WHERE  where NBD is served besides the socket DIR/nbd: tcp://127.0.0.1:10809, or unix:PATH; with
                       ?tls=FOLDER under TLS; beyond this machine ?plain has to say that there is no TLS
          --no-space-timeout SECONDS
                       how long writes wait for room in a thin pool that is full, 60 s unless said; 0: for ever
          --verity-certificates FILE.pem
                       the certificates of those whose signatures of root hashes verity takes (root_hash_sig_key_desc)

        Example:
          udm daemon --run ~/dm &
        """;

    /// <inheritdoc/>
    public override IReadOnlyList<Option> OwnOptions => [Option.Block, Option.Nbd, Option.NoSpaceTimeout, Option.VerityCertificates];

    /// <inheritdoc/>
    public override int MaxOperands => 0;

    /// <inheritdoc/>
    public override int WrongUsageStatus => 2;

    /// <inheritdoc/>
    public override int Run(VerbContext context) =>
        DaemonCommand.Run(DaemonOptions.Of(context), context.Out);
}
