using System.Diagnostics;

namespace Udm.Tests.Daemon;

/// <summary>The paths of a device, shown again and again.</summary>
public sealed class MultipathWatchTests
{
    [Fact(Timeout = 240_000)]
    public void Watching_shows_a_change_until_it_is_ended()
    {
        using RunningDaemon daemon = new();
        daemon.UdmOk("create", "m", "--table", "0 2048 multipath 0 0 1 1 round-robin 0 1 0 mem:1M#disk");
        using Process watch = daemon.Begin("multipath", "ls", "--watch", "m");
        try
        {
            Assert.Contains("m: without a path, I/O fails", watch.StandardOutput.ReadLine());
            daemon.UdmOk("multipath", "fail", "m", "mem:1M#disk");
            while (watch.StandardOutput.ReadLine()?.Contains("failed once") == false)
            {
                // It is there the next time, or the one after.
            }

            Assert.False(watch.HasExited);
        }
        finally
        {
            watch.Kill();
            watch.WaitForExit();
        }
    }
}
