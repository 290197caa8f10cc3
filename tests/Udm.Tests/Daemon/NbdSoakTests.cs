using System.Diagnostics;
using System.Globalization;

namespace Udm.Tests.Daemon;

/// <summary>
/// Clients come, read, write and go, tables are swapped below them, and the daemon's memory stays as it is. UDM_SOAK_SECONDS makes it last.
/// </summary>
public sealed class NbdSoakTests
{
    private const int LeastRounds = 6;
    private const long Allowed = 48 << 20; // bytes: what the garbage collector has not yet given back

    [Fact(Timeout = 2 * 3600 * 1000)]
    public void Memory_stays_flat()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/fio"), "needs fio");
        TimeSpan time = TimeSpan.FromSeconds(double.Parse(Environment.GetEnvironmentVariable("UDM_SOAK_SECONDS") ?? "20", CultureInfo.InvariantCulture));
        using RunningDaemon daemon = new();
        string table = "0 65536 striped 2 128 mem:16M#a 0 mem:16M#b 0";
        daemon.UdmOk("create", "m", "--table", table);
        List<long> resident = [];
        long start = Stopwatch.GetTimestamp();
        while (resident.Count < LeastRounds || Stopwatch.GetElapsedTime(start) < time)
        {
            Verify($"nbd+unix:///m?socket={daemon.Folder}/nbd", resident.Count);
            daemon.UdmOk("load", "m", "--table", table);
            daemon.UdmOk("resume", "m");
            resident.Add(ResidentBytes(daemon.Pid));
        }

        long before = resident[resident.Count / 3], after = resident[^1];
        Assert.True(after - before < Allowed, $"from {before >> 10} to {after >> 10} KiB; after each round, in MiB: {string.Join(' ', resident.Select(r => r >> 20))}");
        Assert.Equal("", daemon.UdmOk("nbd", "ls"));
    }

    private static void Verify(string uri, int seed)
    {
        using Process fio = Process.Start(new ProcessStartInfo("fio",
        [
            "--name=soak", "--ioengine=nbd", $"--uri={uri}", "--rw=randwrite", "--bsrange=512-128k", "--blockalign=512", "--size=8M", "--offset_increment=8M",
            "--iodepth=32", "--numjobs=4", "--verify=crc32c", "--verify_state_save=0", "--verify_fatal=1", $"--randseed={seed}",
        ])
        { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> error = fio.StandardError.ReadToEndAsync();
        string output = fio.StandardOutput.ReadToEnd();
        fio.WaitForExit();
        Assert.True(fio.ExitCode == 0, output + error.Result);
    }

    private static long ResidentBytes(int process)
    {
        string line = File.ReadLines($"/proc/{process}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
    }
}
