using DeviceMapper;
using DeviceMapper.Native;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Udm.Verbs;

namespace Udm.Daemon;

/// <summary>Options of <c>udm daemon</c> and <c>udm serve</c>.</summary>
/// <param name="Run">The run folder (<c>--run</c>), or null for the usual one.</param>
/// <param name="Block">Whether each device is a block device too (<c>--block</c>).</param>
/// <param name="Nbd">Where NBD is served besides the run folder's socket (<c>--nbd</c>); see <see cref="DeviceMapper.Nbd.Server.NbdEndpoint"/>.</param>
/// <param name="NoSpaceTimeout">How long writes wait for room in a full thin pool (<c>--no-space-timeout</c>); for ever where it is zero.</param>
/// <param name="VerityCertificates">The file with the certificates of those whose signatures of root hashes verity takes (<c>--verity-certificates</c>).</param>
internal sealed record DaemonOptions(string? Run, bool Block, IReadOnlyList<string> Nbd, TimeSpan NoSpaceTimeout, string? VerityCertificates)
{
    private const uint UsualNoSpaceTimeout = 60; // seconds, as the kernel's

    /// <summary>Those of a command line.</summary>
    /// <exception cref="UsageException">One is not what it should be.</exception>
    public static DaemonOptions Of(VerbContext context) => new(
        context.Options.Value(Option.Run),
        context.Options.Has(Option.Block),
        context.Options.Values(Option.Nbd),
        TimeSpan.FromSeconds(context.Number(Option.NoSpaceTimeout) ?? UsualNoSpaceTimeout),
        context.Options.Value(Option.VerityCertificates));
}

/// <summary><c>udm daemon</c>, and the part of <c>udm serve</c> that is the same.</summary>
internal static class DaemonCommand
{
    /// <summary>Serves until SIGTERM or SIGINT; a second one ends the process at once.</summary>
    /// <param name="options">Options.</param>
    /// <param name="output">Told <c>ready</c>, when all answers.</param>
    /// <param name="prepare">What is done before it is ready: devices that are made at the start.</param>
    /// <returns>The exit status.</returns>
    /// <exception cref="VerbException">It cannot serve.</exception>
    public static int Run(DaemonOptions options, TextWriter output, Action<Daemon>? prepare = null)
    {
        using ILoggerFactory logging = LoggerFactory.Create(builder =>
        {
            builder.AddSimpleConsole(console => console.SingleLine = true).AddFilter<ConsoleLoggerProvider>(null, LogLevel.Information);
            builder.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        });
        ILogger logger = logging.CreateLogger("udm");
        if (options.Block && !Native.Process.BeIoFlusher())
        {
            logger.LogWarning("without CAP_SYS_RESOURCE: no program that uses a block device may share this daemon's memory limit; see docs/block-devices.md");
        }

        using Signals signals = new();
        using (Daemon daemon = Start(options, logger))
        {
            prepare?.Invoke(daemon);
            output.WriteLine("ready");
            output.Flush();
            ServiceManager.NotifyReady();
            signals.Wait();
        }

        return 0;
    }

    private static Daemon Start(DaemonOptions options, ILogger logger)
    {
        try
        {
            return new Daemon(RunFolder.Find(options.Run), options, logger);
        }
        catch (DmException e)
        {
            throw new VerbException($"{e.Message} ({e.Errno.Text()})");
        }
    }
}
