using System.Diagnostics;

namespace Udm.Tests.Daemon;

/// <summary><c>udm daemon</c> and <c>udm serve</c>, as processes.</summary>
public sealed class DaemonTests
{
    private const int Timeout = 180_000;

    [Fact]
    public void A_device_is_made_for_somebody()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");
        using RunningDaemon daemon = new();
        daemon.UdmOk("create", "his", "-U", "1", "-G", "2", "-M", "640", "--table", "0 8 zero");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(daemon.FileOf("his")));
        Assert.Equal((0, "1:2\n"), BlockMachine.Run("stat", "-c", "%u:%g", daemon.FileOf("his")));
        Assert.Equal(
            (0, "", "udm: warning: --uid: 'x' is not a number: the device's file keeps the one that it has\n"),
            daemon.Udm("create", "hers", "-U", "x", "--table", "0 8 zero"));
    }

    [Fact]
    public void A_device_is_named_by_its_number_too()
    {
        using RunningDaemon daemon = new();
        daemon.UdmOk("create", "a", "-j", "1", "-m", "5", "--notable");
        daemon.UdmOk("create", "b", "-j", "1", "-m", "50", "--table", "0 8 zero");
        Assert.Equal("0 8 zero \n", daemon.UdmOk("table", "/dev/dm-50"));
        daemon.UdmOk("remove", "/dev/dm-5");
        Assert.Equal((1, "", $"udm: info /dev/dm-5: '/dev/dm-5' is no mapped device; its name, or its path in {daemon.Folder}/mapper or /dev/mapper is expected\n"), daemon.Udm("info", "/dev/dm-5"));
        Assert.Equal(1, daemon.Udm("info", "/dev/dm-").Status);
        Assert.Equal(1, daemon.Udm("info", "/dev/dm-x").Status);
    }

    [Fact(Timeout = Timeout)]
    public void A_second_daemon_in_the_folder_is_refused_and_told_of_the_first()
    {
        using RunningDaemon daemon = new();
        (int status, string output, string error) = daemon.Udm("daemon");
        Assert.Equal(1, status);
        Assert.Equal("", output);
        Assert.Equal($"udm: daemon: another daemon serves in {daemon.Folder} (process {daemon.Pid}); another folder is given by --run\n", error);
        daemon.UdmOk("create", "m", "--table", "0 8 zero");
    }

    [Fact(Timeout = Timeout)]
    public void A_folder_that_will_not_do_is_a_sentence()
    {
        using RunningDaemon daemon = new();
        string open = Directory.CreateTempSubdirectory("udm-open").FullName;
        try
        {
            File.SetUnixFileMode(open, File.GetUnixFileMode(open) | UnixFileMode.OtherWrite);
            Refused($"others can write to the run folder {open}", "--run", open);
            Refused("is longer than the 107 bytes", "--run", Path.Combine(open, "..", new string('x', 110)));
            Refused("cannot be made", "--run", "/dev/null/x");
        }
        finally
        {
            Directory.Delete(open);
            if (Directory.Exists(Path.Combine(Path.GetTempPath(), new string('x', 110))))
            {
                Directory.Delete(Path.Combine(Path.GetTempPath(), new string('x', 110)), recursive: true);
            }
        }

        void Refused(string reason, params string[] options)
        {
            (int status, _, string error) = daemon.Udm(["daemon", .. options]);
            Assert.Equal(1, status);
            Assert.Contains(reason, error);
            Assert.Single(error.TrimEnd('\n').Split('\n'));
        }
    }

    [Fact(Timeout = Timeout)]
    public void Wrong_usage_is_status_2()
    {
        using RunningDaemon daemon = new();
        Assert.Equal(2, daemon.Udm("daemon", "--frob").Status);
        Assert.Equal(2, daemon.Udm("daemon", "extra").Status);
        Assert.Equal(2, daemon.Udm("serve").Status);
    }

    [Fact(Timeout = Timeout)]
    public async Task SIGTERM_ends_it_though_a_device_is_in_use_and_io_waits()
    {
        SkipWithoutFuse();
        using RunningDaemon daemon = new();
        daemon.UdmOk("create", "m", "--table", "0 2048 linear mem:1M 0");
        using FileStream open = File.OpenRead(daemon.FileOf("m"));
        daemon.UdmOk("suspend", "m");
        using Process read = Process.Start(new ProcessStartInfo("dd", [$"if={daemon.FileOf("m")}", "of=/dev/null", "bs=4k", "count=1", "iflag=direct"])
        {
            RedirectStandardError = true,
        })!;
        SpinWait.SpinUntil(() => daemon.UdmOk("info", "-c", "--noheadings", "-o", "open", "m") == "2\n", 20_000);
        daemon.Signal("TERM");
        Assert.Equal(0, daemon.WaitForEnd());
        Assert.True(read.WaitForExit(20_000));
        Assert.Equal(1, read.ExitCode);
        Assert.Contains("m: was in use", await daemon.Log);
        Assert.False(File.Exists(Path.Combine(daemon.Folder, "control")));
    }

    [Fact(Timeout = Timeout)]
    public void What_a_killed_daemon_left_is_cleaned_up_at_the_next_start()
    {
        SkipWithoutFuse();
        using RunningDaemon killed = new();
        killed.UdmOk("create", "m", "--table", "0 8 zero");
        killed.Signal("KILL");
        killed.WaitForEnd();
        Assert.Equal(1, killed.Udm("table").Status);
        using RunningDaemon next = new(killed.Folder);
        Assert.Empty(Directory.GetFiles(Path.Combine(next.Folder, "mapper")));
        next.UdmOk("create", "n", "--table", "0 8 zero");
        Assert.Equal(4096, new FileInfo(next.FileOf("n")).Length);
    }

    [Fact(Timeout = Timeout)]
    public void A_device_that_was_just_written_can_be_removed()
    {
        SkipWithoutFuse();
        using RunningDaemon daemon = new();
        int rounds = Environment.GetEnvironmentVariable("UDM_TEST_LONG") == "1" ? 1000 : 40;
        for (int i = 0; i < rounds; i++)
        {
            daemon.UdmOk("create", "m", "--table", "0 2048 linear mem:1M 0");
            using (FileStream file = new(daemon.FileOf("m"), FileMode.Open, FileAccess.Write))
            {
                file.Write(new byte[4096]);
            }

            daemon.UdmOk("remove", "m");
            Assert.False(File.Exists(daemon.FileOf("m")));
        }
    }

    [Fact(Timeout = Timeout)]
    public void Serve_makes_the_devices_of_a_file_or_none()
    {
        using RunningDaemon daemon = new();
        string file = Path.Combine(daemon.Folder, "devices");
        File.WriteAllText(file, "[a uuid=u minor=7 ro]\n# comment\n0 8 zero\n[b]\n0 8 linear mem:1M 4096\n");
        (int status, string output, string error) = daemon.Udm("serve", "--run", Path.Combine(daemon.Folder, "other"), file);
        Assert.Equal(1, status);
        Assert.Equal("", output);
        Assert.Contains(": b: linear: 'mem:1M' has 2048 sectors, too few for 8 from sector 4096 (Invalid argument)", error);
        File.WriteAllText(file, "[a]\n0 8 zero\n[a]\n0 8 zero\n");
        Assert.Contains("'a' is there twice", daemon.Udm("serve", "--run", Path.Combine(daemon.Folder, "other"), file).Error);
        File.WriteAllText(file, "[a frob]\n0 8 zero\n");
        Assert.Contains("line 1: 'frob' is none of ro, uuid=UUID and minor=N", daemon.Udm("serve", "--run", Path.Combine(daemon.Folder, "other"), file).Error);
    }

    private static void SkipWithoutFuse() => Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/dev/fuse"), "needs root and /dev/fuse");
}
