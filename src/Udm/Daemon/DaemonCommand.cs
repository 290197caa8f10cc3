namespace Udm.Daemon;

/// <summary>Options of <c>udm daemon</c> and <c>udm serve</c>.</summary>
/// <param name="Run">The run folder (<c>--run</c>), or null for the usual one.</param>
public sealed record DaemonOptions(string? Run = null);

/// <summary><c>udm daemon</c>.</summary>
public static class DaemonCommand
{
    /// <summary>Serves until SIGTERM.</summary>
    /// <returns>The exit status.</returns>
    public static int Run(DaemonOptions options) => throw new NotImplementedException(options.ToString());
}

/// <summary><c>udm serve FILE</c>.</summary>
public static class ServeCommand
{
    /// <summary>Makes the devices of a file and serves until SIGTERM.</summary>
    /// <returns>The exit status.</returns>
    public static int Run(string file, DaemonOptions options) => throw new NotImplementedException(file + options);
}
