using System.Net.Sockets;

namespace Udm.Daemon;

/// <summary>Tells systemd that a service of type <c>notify</c> is ready (sd_notify(3)).</summary>
internal static class ServiceManager
{
    /// <summary>Says that it is ready; without a service manager nothing happens.</summary>
    public static void NotifyReady()
    {
        string? path = Environment.GetEnvironmentVariable("NOTIFY_SOCKET");
        if (string.IsNullOrEmpty(path))
        {
            return;
        }

        try
        {
            using Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            socket.SendTo("READY=1"u8, new UnixDomainSocketEndPoint(path[0] == '@' ? '\0' + path[1..] : path));
        }
        catch (SocketException)
        {
            // Whoever set the variable does not listen: that is no reason not to serve.
        }
    }
}
