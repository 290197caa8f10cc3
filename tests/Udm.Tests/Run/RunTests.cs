using System.Runtime.InteropServices;
using Udm.Tests.Daemon;

namespace Udm.Tests.Run;

/// <summary>Programs that nobody changed, under <c>udm run</c>.</summary>
public sealed class RunTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Fact]
    public void Dmsetup_makes_shows_renames_and_removes_a_device()
    {
        using RunningDaemon daemon = Start("/usr/sbin/dmsetup");
        Dmsetup(daemon, "create", "m", "--table", "0 2048 linear mem:1M 0");
        Assert.Equal("m: 0 2048 linear " + daemon.UdmOk("table", "m").Split(' ')[3] + " 0", Dmsetup(daemon, "table").Trim());
        Assert.StartsWith("m\t(", Dmsetup(daemon, "ls"));
        Dmsetup(daemon, "suspend", "m");
        Assert.Contains("SUSPENDED", Dmsetup(daemon, "info", "m"));
        Dmsetup(daemon, "resume", "m");
        Dmsetup(daemon, "rename", "m", "n");
        Assert.StartsWith("n\t(", daemon.UdmOk("ls"));
        Dmsetup(daemon, "remove", "n");
        Assert.Contains("No devices found", Dmsetup(daemon, "ls"));
    }

    [Fact]
    public void A_refusal_has_the_kernels_errno()
    {
        using RunningDaemon daemon = Start("/usr/sbin/dmsetup");
        (int status, _, string error) = daemon.Udm("run", "dmsetup", "create", "m", "--table", "0 2048 nosuch");
        Assert.Equal(1, status);
        Assert.Contains("Invalid argument", error);
        Assert.Contains("No devices found", Dmsetup(daemon, "ls"));
    }

    [Fact]
    public void A_list_that_needs_a_larger_buffer_is_whole()
    {
        using RunningDaemon daemon = Start("/usr/sbin/dmsetup");
        string table = string.Concat(Enumerable.Range(0, 1000).Select(i => $"{i * 8} 8 {(i % 2 == 0 ? "zero" : "error")}\n"));
        daemon.UdmOk("create", "m", "--table", table);
        Assert.Equal(1000, Dmsetup(daemon, "table", "m").Trim().Split('\n').Length);
    }

    [Fact]
    public void The_nodes_of_a_device_are_block_devices_with_the_ioctls_number()
    {
        using RunningDaemon daemon = Start("/usr/bin/stat");
        daemon.UdmOk("create", "m", "--table", "0 2048 zero");
        string number = daemon.UdmOk("info", "-c", "--noheadings", "-o", "major,minor", "m").Trim();
        foreach (string node in new[] { "/dev/mapper/m", $"/dev/dm-{number.Split(':')[1]}" })
        {
            Assert.Equal($"block special file {number}", daemon.UdmOk("run", "stat", "-L", "-c", "%F %Hr:%Lr", node).Trim());
        }

        Assert.Equal("character special file 10:236", daemon.UdmOk("run", "stat", "-c", "%F %Hr:%Lr", "/dev/mapper/control").Trim());
        Assert.Contains($"{number.Split(':')[0]} device-mapper", daemon.UdmOk("run", "cat", "/proc/devices"));
        Assert.NotEqual(0, daemon.Udm("run", "stat", "/dev/mapper/other").Status);
    }

    [Fact]
    public void A_devices_data_is_read_and_written_also_by_a_link()
    {
        using RunningDaemon daemon = Start("/usr/bin/dd");
        Assert.SkipUnless(File.Exists("/dev/fuse"), "needs /dev/fuse");
        daemon.UdmOk("create", "m", "--table", "0 2048 linear mem:1M 0");
        File.CreateSymbolicLink($"{daemon.Folder}/link", "/dev/mapper/m");
        daemon.UdmOk("run", "sh", "-c", "printf hello | dd of=/dev/mapper/m conv=notrunc status=none");
        Assert.Equal("hello", daemon.UdmOk("run", "head", "-c", "5", $"{daemon.Folder}/link"));
    }

    [Fact]
    public void Nodes_in_a_folder_of_their_own_are_the_devices_of_their_numbers()
    {
        using RunningDaemon daemon = Start("/usr/sbin/dmsetup");
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/dev/fuse"), "needs root and /dev/fuse");
        string other = $"DM_DEV_DIR={Directory.CreateDirectory($"{daemon.Folder}/dev").FullName}";
        Assert.SkipUnless(BlockMachine.Run("mknod", $"{daemon.Folder}/null", "c", "1", "3").Status == 0 && BlockMachine.Run("head", "-c1", $"{daemon.Folder}/null").Status == 0, "needs a folder with devices");
        daemon.UdmOk("run", "env", other, "dmsetup", "create", "m", "--table", "0 2048 linear mem:1M 0");
        daemon.UdmOk("run", "sh", "-c", $"printf hello | dd of={daemon.Folder}/dev/mapper/m conv=notrunc status=none");
        Assert.Equal("hello", daemon.UdmOk("run", "head", "-c", "5", "/dev/mapper/m"));
        Assert.Equal("1048576\n", daemon.UdmOk("run", "blockdev", "--getsize64", $"{daemon.Folder}/dev/mapper/m"));
        daemon.UdmOk("run", "env", other, "dmsetup", "remove", "m");
        Assert.False(File.Exists($"{daemon.Folder}/dev/mapper/m"));
    }

    [Fact]
    public void A_devices_size_is_asked_for_as_a_block_devices_and_its_read_ahead_is_set()
    {
        using RunningDaemon daemon = Start("/usr/sbin/blockdev");
        Assert.SkipUnless(File.Exists("/dev/fuse"), "needs /dev/fuse");
        daemon.UdmOk("create", "m", "--table", "0 2048 zero");
        Assert.Equal("1048576\n512\n256\n", daemon.UdmOk("run", "blockdev", "--getsize64", "--getss", "--getra", "/dev/mapper/m"));
        Assert.Equal("64\n", daemon.UdmOk("run", "blockdev", "--setra", "71", "--getra", "/dev/mapper/m")); // whole pages
        Assert.Equal("64\n", daemon.UdmOk("info", "-c", "--noheadings", "-o", "read_ahead", "m"));
    }

    /// <summary>Before its first table the kernel has no disk, and nothing in /sys; then read_ahead_kb can be written, in whole pages.</summary>
    [Fact]
    public void A_devices_read_ahead_is_set_by_its_file_in_sys()
    {
        using RunningDaemon daemon = Start("/bin/sh");
        daemon.UdmOk("create", "m", "--notable");
        const string Folder = "/sys/dev/block/$(dmsetup info -c --noheadings -o major,minor m)";
        Assert.NotEqual(0, daemon.Udm("run", "sh", "-c", $"test -e {Folder}").Status);
        daemon.UdmOk("load", "m", "--table", "0 2048 zero");
        Assert.Equal("128\n", daemon.UdmOk("run", "sh", "-c", $"cat {Folder}/bdi/read_ahead_kb"));
        Assert.Equal("60\n", daemon.UdmOk("run", "sh", "-c", $"cd /; echo 62 >{Folder}/queue/read_ahead_kb; cat {Folder}/bdi/read_ahead_kb"));
        Assert.Equal("120\n", daemon.UdmOk("info", "-c", "--noheadings", "-o", "read_ahead", "m"));
    }

    [Fact]
    public void A_device_that_is_a_file_is_discarded_and_zeroed_as_a_block_device()
    {
        using RunningDaemon daemon = Start("/usr/sbin/blkdiscard");
        Assert.SkipUnless(File.Exists("/dev/fuse"), "needs /dev/fuse");
        daemon.UdmOk("create", "m", "--table", "0 2048 linear mem:1M 0");
        string file = daemon.FileOf("m");
        foreach (string option in new[] { "-f", "-z" })
        {
            File.WriteAllText(file, new string('x', 3 * 4096));
            daemon.UdmOk("run", "blkdiscard", option, "-o", "4096", "-l", "4096", "/dev/mapper/m");
            Assert.Equal(new string('x', 4096) + new string('\0', 4096) + new string('x', 4096), File.ReadAllText(file)[..(3 * 4096)]);
        }

        Assert.NotEqual(0, daemon.Udm("run", "blkdiscard", "-f", "-o", "100", "-l", "512", "/dev/mapper/m").Status); // no whole sectors
        Assert.NotEqual(0, daemon.Udm("run", "perl", "-e", "open F, '</dev/mapper/m'; exit !ioctl F, 0x1277, pack 'QQ', 0, 512").Status); // open for reading
        Assert.Equal(new string('x', 4096), File.ReadAllText(file)[..4096]);
    }

    [Theory]
    [InlineData("exit 7", 7)]
    [InlineData("kill -9 $$", 137)]
    [InlineData("kill -15 $$", 143)]
    public void The_commands_end_is_passed_on(string script, int status)
    {
        using RunningDaemon daemon = Start("/bin/sh");
        Assert.Equal(status, daemon.Udm("run", "sh", "-c", script).Status);
    }

    [Fact]
    public void A_program_that_is_not_there_has_the_shells_exit_status()
    {
        using RunningDaemon daemon = Start("/bin/sh");
        (int status, _, string error) = daemon.Udm("run", "no-such-program");
        Assert.Equal(127, status);
        Assert.Contains("there is no program 'no-such-program'", error);
    }

    [Fact]
    public void A_child_that_outlives_the_command_is_still_served_when_run_has_ended_with_it()
    {
        using RunningDaemon daemon = Start("/usr/sbin/dmsetup");
        daemon.UdmOk("create", "m", "--table", "0 8 zero");
        string go = Path.Combine(daemon.Folder, "go"), answer = Path.Combine(daemon.Folder, "answer");
        string child = $"exec <&- >/dev/null 2>&1; until [ -e {go} ]; do sleep .1; done; dmsetup ls >{answer}.new; mv {answer}.new {answer}";
        Assert.Equal(3, daemon.Udm("run", "sh", "-c", $"({child}) & exit 3").Status);
        File.WriteAllText(go, "");
        Assert.True(SpinWait.SpinUntil(() => File.Exists(answer), Patience), "the child was not answered");
        Assert.StartsWith("m\t(", File.ReadAllText(answer));
    }

    [Fact]
    public void Programs_are_served_at_once()
    {
        using RunningDaemon daemon = Start("/usr/sbin/dmsetup");
        daemon.UdmOk("run", "sh", "-c", "for i in $(seq 64); do dmsetup create m$i --table '0 8 zero' & done; wait");
        Assert.Equal(64, daemon.UdmOk("ls").Trim().Split('\n').Length);
    }

    /// <summary>As a Go program: linked statically, its system calls its own, from many threads at once.</summary>
    [Fact]
    public void A_static_program_of_many_threads_is_served()
    {
        using RunningDaemon daemon = Start("/usr/bin/gcc");
        const string Program =
            """
            #define _GNU_SOURCE
            #include <fcntl.h>
            #include <pthread.h>
            #include <stdio.h>
            #include <stdlib.h>
            #include <string.h>
            #include <sys/ioctl.h>
            #include <sys/stat.h>
            #include <sys/syscall.h>
            #include <sys/sysmacros.h>
            #include <unistd.h>
            #include <linux/dm-ioctl.h>

            static void check(int holds, const char *what) { if (!holds) { perror(what); exit(1); } }

            static void call(int control, unsigned long number, struct dm_ioctl *dm, const char *name)
            {
                memset(dm, 0, sizeof *dm);
                dm->version[0] = 4; dm->data_size = 16384; dm->data_start = sizeof *dm; strcpy(dm->name, name);
                check(syscall(SYS_ioctl, control, number, dm) == 0, name);
            }

            static void *work(void *thread)
            {
                char name[32], path[32];
                struct stat node;
                struct dm_ioctl *dm = calloc(1, 16384);
                int control = syscall(SYS_openat, AT_FDCWD, "/dev/mapper/control", O_RDWR);
                check(control >= 0, "control");
                sprintf(name, "of-thread-%ld", (long)thread);
                call(control, DM_DEV_CREATE, dm, name);
                sprintf(path, "/dev/dm-%u", minor(dm->dev));
                for (int i = 0; i < 50; i++) {
                    call(control, DM_TABLE_STATUS, dm, name);
                    check(syscall(SYS_newfstatat, AT_FDCWD, path, &node, 0) == 0 && node.st_rdev == dm->dev, path);
                }
                call(control, DM_DEV_REMOVE, dm, name);
                return NULL;
            }

            int main(void)
            {
                pthread_t threads[32];
                for (long i = 0; i < 32; i++) check(pthread_create(&threads[i], NULL, work, (void *)i) == 0, "thread");
                for (int i = 0; i < 32; i++) pthread_join(threads[i], NULL);
            }
            """;
        string file = Path.Combine(daemon.Folder, "program");
        File.WriteAllText(file + ".c", Program);
        BlockMachine.Ok("gcc", "-static", "-pthread", "-o", file, file + ".c");
        daemon.UdmOk("run", file);
        Assert.Contains("No devices found", daemon.UdmOk("ls"));
    }

    [Theory]
    [InlineData("strace -f -o /dev/null dmsetup table m")]
    [InlineData("unshare --map-root-user --mount --pid --fork --mount-proc dmsetup table m")]
    public void A_program_that_is_traced_or_in_namespaces_of_its_own_is_served(string command)
    {
        using RunningDaemon daemon = Start("/usr/sbin/dmsetup");
        string[] words = command.Split(' ');
        Assert.SkipUnless(File.Exists($"/usr/bin/{words[0]}"), $"needs {words[0]}");
        Assert.SkipUnless(words[0] == "strace" || BlockMachine.Run("unshare", "--map-root-user", "true").Status == 0, "needs user namespaces");
        daemon.UdmOk("create", "m", "--table", "0 8 zero");
        Assert.Equal("0 8 zero", daemon.UdmOk(["run", .. words]).Trim());
    }

    [Fact]
    public void Dmsetup_is_found_by_users_whose_path_lacks_its_folder()
    {
        using RunningDaemon daemon = Start("/usr/sbin/dmsetup");
        string[] udm = ["PATH=/usr/bin:/bin", $"UDM_RUN={daemon.Folder}", Path.Combine(AppContext.BaseDirectory, "udm"), "run"];
        Assert.Contains("No devices found", BlockMachine.Ok("env", [.. udm, "dmsetup", "ls"]));
        Assert.Contains("No devices found", BlockMachine.Ok("env", [.. udm, "sh", "-c", "dmsetup ls"]));
        Assert.StartsWith("/usr/bin:/bin:", BlockMachine.Ok("env", [.. udm, "printenv", "PATH"]));
    }

    [Fact]
    public void Programs_in_a_container_have_their_own_supervisor()
    {
        using RunningDaemon daemon = Start("/usr/sbin/dmsetup");
        Assert.SkipUnless(BlockMachine.Run("unshare", "--map-root-user", "true").Status == 0, "needs user namespaces");
        daemon.UdmOk("create", "m", "--table", "0 8 zero");
        Assert.Equal("0 8 zero", BlockMachine.Ok(
            "unshare", "--map-root-user", "--mount", "--pid", "--fork", "--mount-proc",
            "env", $"UDM_RUN={daemon.Folder}", Path.Combine(AppContext.BaseDirectory, "udm"), "run", "dmsetup", "table", "m").Trim());
    }

    /// <summary>The filter within another's supervision is refused by the kernel, which is said.</summary>
    [Fact]
    public void Within_another_run_it_says_so()
    {
        using RunningDaemon daemon = Start("/bin/true");
        (int status, _, string error) = daemon.Udm("run", Path.Combine(AppContext.BaseDirectory, "udm"), "run", "true");
        Assert.NotEqual(0, status);
        Assert.Contains("supervised already", error);
    }

    [Fact]
    public void Programs_that_are_killed_in_the_middle_of_their_calls_leave_nothing()
    {
        using RunningDaemon daemon = Start("/usr/sbin/dmsetup");
        daemon.UdmOk("create", "m", "--table", "0 8 zero");
        const string Script =
            """
            for i in $(seq 40); do
              (while :; do dmsetup info m; done) >/dev/null 2>&1 & busy=$!
              dmsetup wait m 2>/dev/null & waits=$!
              dmsetup table m >/dev/null
              kill -9 $busy $waits; wait $busy $waits || true
            done 2>/dev/null
            """;
        daemon.UdmOk("run", "bash", "-c", Script);
        Assert.Equal("0 8 zero", daemon.UdmOk("run", "dmsetup", "table", "m").Trim());
        daemon.UdmOk("remove", "m");
    }

    /// <summary>Scenario ioctl-structs has the other structs, and what the kernel says of each.</summary>
    [Fact]
    public void A_struct_that_is_not_there_or_claims_more_than_is_there_is_refused_and_costs_no_memory()
    {
        using RunningDaemon daemon = Start("/usr/bin/perl");
        const string Script =
            """
            use Fcntl; use Errno;
            sysopen F, "/dev/mapper/control", O_RDWR or die;
            for my $size (1 << 30, 1 << 24) { for (1 .. 100) { for my $command (2, 9, 12) {
              my $struct = pack "L9 x4 Q a128 a129 x7", 4, 0, 0, $size, 312, 1, 0, 0, 0, 0, "m", "";
              ioctl F, 0xc138fd00 | $command, $struct and die "taken"; $!{EFAULT} or die "$size $command: $!";
            } } }
            for my $address (0, 8, 1 << 46, -8) { ioctl F, 0xc138fd02, $address and die "taken"; $!{EFAULT} or die "$address: $!" }
            open S, "/proc/" . getppid . "/status" or die; print grep /VmHWM/, <S>;
            """;
        string peak = daemon.UdmOk("run", "perl", "-e", Script);
        Assert.InRange(int.Parse(peak.Split(' ', '\t')[^2]), 1, 512 * 1024); // KiB
        daemon.UdmOk("run", "dmsetup", "ls");
    }

    /// <summary>The program of the tests, and the NativeAOT one where it was published.</summary>
    public static TheoryData<string> Programs =>
        [Path.Combine(AppContext.BaseDirectory, "udm"), Path.Combine(RepositoryTests.Root, "artifacts", "udm", "current", "udm")];

    [Theory]
    [MemberData(nameof(Programs))]
    public void Without_root_a_program_is_served_and_gains_no_privileges(string program)
    {
        Assert.SkipUnless(RuntimeInformation.ProcessArchitecture == Architecture.X64, "needs x86-64");
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/usr/bin/setpriv") && File.Exists("/usr/sbin/dmsetup"), "needs root, setpriv and dmsetup");
        Assert.SkipUnless(File.Exists(program), "needs ./udm publish");
        const string Nobody = "65534";
        string folder = Directory.CreateTempSubdirectory("udm-nobody").FullName;
        string[] user = ["--reuid", Nobody, "--regid", Nobody, "--clear-groups"];
        try
        {
            BlockMachine.Ok("chown", Nobody, folder);
            Assert.SkipUnless(BlockMachine.Run("setpriv", [.. user, "test", "-x", program]).Status == 0, "needs a folder that others may read");
            const string Script =
                """
                exec 2>&1; "$1" daemon >$UDM_RUN.log & daemon=$!; trap 'kill $daemon; wait $daemon' EXIT
                for i in $(seq 600); do "$1" version >/dev/null && break; sleep .1; done
                "$1" create m --table "0 8 zero" && "$1" run dmsetup table && "$1" run grep NoNewPrivs: /proc/self/status
                """;
            string output = BlockMachine.Ok("setpriv", [.. user, "env", $"UDM_RUN={folder}/run", $"HOME={folder}", "sh", "-c", Script, "-", program]);
            Assert.Contains("m: 0 8 zero", output);
            Assert.Contains("NoNewPrivs:\t1", output);
        }
        finally
        {
            BlockMachine.Run("umount", "-l", $"{folder}/run/mapper");
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>A control node that is armed twice, and one that is closed while it is armed.</summary>
    [Fact]
    public void A_poll_that_is_given_up_leaves_the_daemon_alive()
    {
        using RunningDaemon daemon = Start("/usr/bin/perl");
        const string Script =
            """
            use Fcntl; my $struct = pack "L9 x4 Q a128 a129 x7", 4, 0, 0, 312, 312, 0, 0, 0, 0, 0, "", "";
            for (1 .. 20) { sysopen my $control, "/dev/mapper/control", O_RDWR or die; for (1 .. 3) { my $s = $struct; ioctl $control, 0xc138fd10, $s or die "$!" } }
            """;
        daemon.UdmOk("run", "perl", "-e", Script);
        daemon.UdmOk("create", "m", "--table", "0 8 zero");
        Assert.StartsWith("m\t(", daemon.UdmOk("ls"));
    }

    [Fact]
    public void A_call_that_waits_ends_when_its_program_is_killed()
    {
        using RunningDaemon daemon = Start("/usr/sbin/dmsetup");
        daemon.UdmOk("create", "m", "--table", "0 8 zero");
        Assert.Equal(124, daemon.Udm("run", "timeout", "1", "dmsetup", "wait", "m").Status);
    }

    /// <summary>A key of the same name that another session, or another thread, gives meanwhile is not taken for it.</summary>
    [Fact]
    public void Each_program_has_its_own_key_of_one_name()
    {
        using RunningDaemon daemon = Start("/usr/bin/keyctl");
        Assert.SkipUnless(File.Exists("/dev/fuse") && File.Exists("/usr/sbin/dmsetup"), "needs /dev/fuse and dmsetup");
        const string Script =
            """
            set -e; cd $1
            wait_for() { for i in $(seq 1800); do [ ! -e $1 ] || return 0; sleep .1; done; return 1; }
            key() { printf %032d $1; }
            make() { dmsetup create $1 --table "0 8 crypt aes-xts-plain64 $2 0 /dev/mapper/disk 0"; }
            named() { make $1 :32:logon:udm:k; cmp /dev/mapper/$1 /dev/mapper/by-key-$2; }
            add() { key $1 | keyctl padd logon udm:k @s; }
            export -f wait_for key make named add
            dmsetup create disk --table "0 8 zero"
            for i in 1 2 3; do make by-key-$i $(key $i | od -An -tx1 | tr -d ' \n'); done
            setsid -w keyctl session - bash -ec "add 1; touch first; wait_for second; named a 1" &
            wait_for first
            setsid -w keyctl session - bash -ec "add 2; touch second; named b 2"
            wait $!
            add 1
            perl -e '@key = ("logon", "udm:k", sprintf("%032d", 3)); syscall(248, @key, 32, -1) > 0 or die "add_key: $!"; open F, ">third"; sleep 1000' &
            wait_for third; named c 1; kill $!
            """;
        daemon.UdmOk("run", "bash", "-c", Script, "-", daemon.Folder);
    }

    private static string Dmsetup(RunningDaemon daemon, params string[] words) => daemon.UdmOk(["run", "dmsetup", .. words]);

    private static RunningDaemon Start(string program)
    {
        Assert.SkipUnless(RuntimeInformation.ProcessArchitecture == Architecture.X64, "needs x86-64");
        Assert.SkipUnless(File.Exists(program), $"needs {Path.GetFileName(program)}");
        return new RunningDaemon();
    }
}
