using System.Globalization;
using DeviceMapper.Nbd.Server;

namespace Udm.Daemon;

/// <summary>Where a daemon serves NBD: the socket in its run folder, what <c>--nbd</c> says, and what systemd hands over.</summary>
internal static class NbdEndpoints
{
    private const int FirstHandedOver = 3; // SD_LISTEN_FDS_START

    /// <summary>All of them.</summary>
    public static IReadOnlyList<NbdEndpoint> Of(RunFolder folder, IReadOnlyList<string> wanted) =>
        [NbdEndpoint.Unix(folder.NbdSocket), .. wanted.Select(NbdEndpoint.Parse), .. HandedOver()];

    /// <summary>Listening sockets of systemd's socket activation (sd_listen_fds(3)).</summary>
    private static IEnumerable<NbdEndpoint> HandedOver()
    {
        bool areOurs = Number("LISTEN_PID") == Environment.ProcessId;
        int count = areOurs ? Number("LISTEN_FDS") : 0;
        return Enumerable.Range(FirstHandedOver, count).Select(descriptor => new NbdEndpoint { Descriptor = descriptor });
    }

    private static int Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : 0;
}
