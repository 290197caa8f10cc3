using System.Diagnostics;
using System.Net.Sockets;

namespace Udm.Tests.Daemon;

/// <summary>A daemon that systemd starts when somebody connects, on the socket that it hands over.</summary>
public sealed class SocketActivationTests
{
    private const string Activate = "/usr/bin/systemd-socket-activate";

    [Fact(Timeout = 240_000)]
    public void The_first_client_starts_it_and_is_served()
    {
        Assert.SkipUnless(File.Exists(Activate), $"needs {Activate}");
        Assert.SkipUnless(File.Exists("/usr/bin/nbdinfo"), "needs nbdinfo");
        string folder = Directory.CreateTempSubdirectory("udm-daemon").FullName;
        string socket = Path.Combine(folder, "activated");
        using Process activator = Process.Start(new ProcessStartInfo(
            Activate, ["-l", socket, "-E", $"UDM_RUN={folder}", "-E", "DOTNET_ROOT", Path.Combine(AppContext.BaseDirectory, "udm"), "daemon"])
        { RedirectStandardOutput = true, RedirectStandardError = true })!;
        using Socket first = ConnectWhenItListens(socket, activator);
        using RunningDaemon daemon = new(folder, activator);
        daemon.UdmOk("create", "m", "--table", "0 8192 linear mem:4M 0");
        using Process client = Process.Start(new ProcessStartInfo("nbdinfo", ["--size", $"nbd+unix:///m?socket={socket}"]) { RedirectStandardOutput = true })!;
        Assert.Equal($"{4 << 20}", client.StandardOutput.ReadToEnd().Trim());
        client.WaitForExit();
        byte[] greeting = new byte[8];
        Assert.Equal(8, first.Receive(greeting));
        Assert.Equal("NBDMAGIC"u8, greeting);
        daemon.Signal("TERM");
        Assert.Equal(0, daemon.WaitForEnd());
    }

    private static Socket ConnectWhenItListens(string path, Process activator)
    {
        while (!activator.HasExited)
        {
            Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                socket.Connect(new UnixDomainSocketEndPoint(path));
                return socket;
            }
            catch (SocketException)
            {
                socket.Dispose();
                Thread.Sleep(20);
            }
        }

        throw new InvalidOperationException($"{Activate} has ended with {activator.ExitCode}");
    }
}
