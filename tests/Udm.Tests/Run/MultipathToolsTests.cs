using System.Runtime.InteropServices;
using Udm.Tests.Daemon;

namespace Udm.Tests.Run;

/// <summary>multipath and multipathd, that nobody changed, under <c>udm run</c>, with mapped devices as paths.</summary>
public sealed class MultipathToolsTests
{
    private const int Timeout = 480_000;

    /// <summary>
    /// /run and /etc of its own, for there is one multipathd and one configuration of it; and of udev, who is not there, the one thing
    /// that is asked for: what disk it is that a path leads to.
    /// </summary>
    private const string Prepare =
        """
        mount -t tmpfs none /run; mkdir -p /run/lock /run/udev/data /run/etc; cp -a /etc/. /run/etc
        cat >/run/etc/multipath.conf <<CONF
        defaults {
          find_multipaths no
          path_checker directio
          polling_interval 1
        }
        blacklist_exceptions {
          devnode "^dm-"
          property ".*"
        }
        CONF
        mount --bind /run/etc /etc
        for path in one two; do printf 'I:1\nE:ID_SERIAL=0a1b2c\n' >/run/udev/data/b$(stat -c %Hr:%Lr /dev/mapper/$path); done
        wait_for() { for i in $(seq 1800); do ! eval "$1" || return 0; sleep .1; done; echo "not so: $1"; return 1; }

        """;

    [Fact(Timeout = Timeout)]
    public void Multipath_shows_a_map_and_its_paths()
    {
        using RunningDaemon daemon = Start();
        string output = Run(daemon, "multipath -ll");
        Assert.Contains("0a1b2c dm-", output);
        Assert.Contains("policy='round-robin 0'", output);
        Assert.Equal(2, output.Split('\n').Count(line => line.Contains(" active ready running")));
        Run(daemon, "multipath -f 0a1b2c; test ! -e /dev/mapper/0a1b2c");
    }

    [Fact(Timeout = Timeout)]
    public void Multipathd_fails_a_path_that_has_died_and_takes_it_back()
    {
        using RunningDaemon daemon = Start();
        Run(
            daemon,
            """
            multipathd -d >/run/log 2>&1 & trap 'cat /run/log; kill $!' EXIT
            wait_for "multipathd show paths | grep -q ' active ready '"; multipathd show maps | grep -q 0a1b2c
            one=dm-$(stat -c %Lr /dev/mapper/one)
            multipathd fail path $one; dmsetup status 0a1b2c | grep -q ' F '; multipathd reinstate path $one; refuse grep -q ' F ' <(dmsetup status 0a1b2c)
            dmsetup suspend one; dmsetup load one --table '0 2048 error'; dmsetup resume one
            wait_for "dmsetup status 0a1b2c | grep -q ' F '"; multipathd show paths | grep "$one .* failed faulty"
            dmsetup suspend one; dmsetup load one --table '0 2048 linear /dev/mapper/disk 0'; dmsetup resume one
            wait_for "! dmsetup status 0a1b2c | grep -q ' F '"
            multipathd shutdown; wait $!; trap - EXIT
            """);
    }

    private static RunningDaemon Start()
    {
        Assert.SkipUnless(RuntimeInformation.ProcessArchitecture == Architecture.X64, "needs x86-64");
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/dev/fuse"), "needs root and /dev/fuse");
        Assert.SkipUnless(File.Exists("/usr/sbin/multipathd"), "needs multipathd");
        RunningDaemon daemon = new();
        daemon.UdmOk("create", "disk", "--table", "0 2048 linear mem:1M 0");
        daemon.UdmOk("create", "one", "--table", "0 2048 linear /dev/mapper/disk 0");
        daemon.UdmOk("create", "two", "--table", "0 2048 linear /dev/mapper/disk 0");
        daemon.UdmOk(
            "create", "0a1b2c", "--uuid", "mpath-0a1b2c", "--table", "0 2048 multipath 0 0 1 1 round-robin 0 2 1 /dev/mapper/one 1 /dev/mapper/two 1");
        return daemon;
    }

    /// <summary>Runs a script of commands that must succeed.</summary>
    private static string Run(RunningDaemon daemon, string script)
    {
        (int status, string output) = BlockMachine.Run(
            "env", $"UDM_RUN={daemon.Folder}", "unshare", "--mount", Path.Combine(AppContext.BaseDirectory, "udm"), "run",
            "bash", "-ec", BlockMachine.Refuse + Prepare + script);
        Assert.True(status == 0, $"{script}: {status}\n{output}");
        return output;
    }
}
