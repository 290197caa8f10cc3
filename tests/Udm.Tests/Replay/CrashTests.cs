using System.Diagnostics;
using Udm.Tests.Daemon;

namespace Udm.Tests.Replay;

/// <summary>An SQLite database in an ext4 on a device that loses its power: what SQLite has said to be committed is there, and whole.</summary>
public sealed class CrashTests
{
    private const int Timeout = 240_000;
    private const ulong Sectors = 32768; // 16 MiB, of which the file system uses little
    private const int Commits = 3;

    /// <summary>Says whether the file system and the database are whole, and have as many rows as the last mark has it. The device is changed.</summary>
    private const string Check = """
        case $UDM_MARK in '') exit 125 ;; made) rows=0 ;; *) rows=$UDM_MARK ;; esac
        out=$(mktemp -d) && trap 'rm -rf "$out"' EXIT
        /usr/sbin/e2fsck -fy "$UDM_DEVICE" >"$out/fsck" 2>&1; [ $? -le 1 ] || { cat "$out/fsck"; exit 1; }
        for file in db db-journal; do /usr/sbin/debugfs -R "dump $file $out/$file" "$UDM_DEVICE" >/dev/null 2>&1; done
        [ $rows = 0 ] && exit 0
        [ "$(sqlite3 "$out/db" 'pragma integrity_check')" = ok ] || { echo "the database is damaged"; exit 1; }
        found=$(sqlite3 "$out/db" 'select count(*) from t'); [ "$found" -ge $rows ] || { echo "$found rows of $rows"; exit 1; }
        """;

    [Fact(Timeout = Timeout)]
    public void At_every_flush_all_that_was_committed_is_there()
    {
        using BlockMachine machine = NewMachine();
        string log = Path.Combine(machine.Folder, "log"), copy = Path.Combine(machine.Folder, "copy");
        string name = machine.Name("a");
        machine.Daemon.UdmOk("create", name, "--table", $"0 {Sectors} log-writes file:{machine.Image}?size=16M file:{log}?size=256M");
        machine.MakeFileSystem("a");
        machine.Daemon.UdmOk("message", name, "0", "mark made");
        machine.MountIt("a");
        for (int row = 1; row <= Commits; row++)
        {
            Commit(machine, row);
            machine.Daemon.UdmOk("message", name, "0", $"mark {row}");
        }

        machine.Unmount();
        machine.Daemon.UdmOk("remove", name);
        using (FileStream empty = File.Create(copy))
        {
            empty.SetLength((long)Sectors * 512);
        }

        (int status, string output, string error) = machine.Daemon.Udm("replay", log, copy, "--check", Check, "--jobs", "2", "--timeout", "60");
        Assert.True(status == 0, output + error);
        Assert.True(int.Parse(output[..output.IndexOf(' ')]) > Commits, output);
    }

    [Theory(Timeout = Timeout)]
    [InlineData("keep=none", false, true)]
    [InlineData("keep=random atomic=512", false, true)] // writes are torn
    [InlineData("keep=none", true, false)] // the check can fail
    public void A_power_cut_loses_what_was_committed_only_where_flushes_are_dropped(string keep, bool dropsFlushes, bool survives)
    {
        using BlockMachine machine = NewMachine();
        string name = machine.Name("a");
        Begin(machine, $"0 {Sectors} fault file:{machine.Image}?size=16M 0 seed=1 cache=16M");
        if (dropsFlushes)
        {
            machine.Daemon.UdmOk("fault", name, "add", "lie", "flush", "drop");
        }

        for (int row = 2; row <= Commits; row++)
        {
            Commit(machine, row);
        }

        machine.Daemon.UdmOk("fault", name, "power_cut");
        machine.Unmount();
        machine.Daemon.UdmOk(["fault", name, "power_on", .. keep.Split(' ')]);
        machine.Daemon.UdmOk("fault", name, "clear");
        (int status, string output) = RunCheck(machine.Daemon.FileOf(name), Commits);
        Assert.True(status == (survives ? 0 : 1), output);
    }

    [Fact(Timeout = Timeout)]
    public void A_commit_waits_while_a_write_hangs_and_is_whole_when_it_is_released()
    {
        using BlockMachine machine = NewMachine();
        string name = machine.Name("a");
        Begin(machine, $"0 {Sectors} fault file:{machine.Image}?size=16M 0 seed=1");
        machine.Daemon.UdmOk("fault", name, "add", "here", "write", "next=1", "hang");
        using Process commit = BlockMachine.Begin("sqlite3", Path.Combine(machine.Mount, "db"), Sql(2));
        machine.Daemon.UdmOk("fault", name, "wait", "here");
        Assert.False(commit.HasExited);
        machine.Daemon.UdmOk("fault", name, "release", "here");
        Assert.Equal((0, ""), BlockMachine.End(commit));
        machine.Unmount();
        (int status, string output) = RunCheck(machine.Daemon.FileOf(name), 2);
        Assert.True(status == 0, output);
    }

    /// <summary>From some moment on all writes are lost, and nobody is told: as if the power had gone then.</summary>
    [Fact(Timeout = Timeout)]
    public void What_was_committed_before_flakey_drops_all_writes_is_whole()
    {
        using BlockMachine machine = NewMachine();
        string name = machine.Name("a");
        Begin(machine, $"0 {Sectors} flakey file:{machine.Image}?size=16M 0 60 0");
        Commit(machine, 2);
        Swap($"0 {Sectors} flakey file:{machine.Image}?size=16M 0 0 60 1 drop_writes");
        Commit(machine, 3);
        machine.Unmount();
        Swap($"0 {Sectors} linear file:{machine.Image}?size=16M 0");
        (int status, string output) = RunCheck(machine.Daemon.FileOf(name), 2);
        Assert.True(status == 0, output);
        Assert.Equal(1, RunCheck(machine.Daemon.FileOf(name), 3).Status); // the third is lost, and the check sees it

        void Swap(string table)
        {
            machine.Daemon.UdmOk("load", name, "--table", table);
            machine.Daemon.UdmOk("resume", name);
        }
    }

    /// <summary>
    /// fuse2fs needs neither root nor a loop device. It has no journal, but its fsync reaches the device as flushes; that of a folder does not,
    /// so SQLite must not end a commit by deleting its journal.
    /// </summary>
    [Theory(Timeout = Timeout)]
    [InlineData(false)]
    [InlineData(true)]
    public void Through_fuse2fs_what_was_committed_is_lost_only_where_flushes_are_dropped(bool dropsFlushes)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/fuse2fs") && File.Exists("/dev/fuse"), "needs fuse2fs and /dev/fuse");
        Assert.SkipUnless(File.Exists("/usr/bin/sqlite3"), "needs sqlite3");
        using RunningDaemon daemon = new();
        string mount = Directory.CreateTempSubdirectory("udm-fuse2fs").FullName;
        try
        {
            daemon.UdmOk("create", "a", "--table", $"0 {Sectors} fault mem:16M 0 seed=1 cache=16M");
            BlockMachine.Ok("/usr/sbin/mkfs.ext4", "-q", "-E", "nodiscard", "-O", "^has_journal", daemon.FileOf("a"));
            BlockMachine.Ok("fuse2fs", daemon.FileOf("a"), mount, "-o", "rw,fakeroot");
            if (dropsFlushes)
            {
                daemon.UdmOk("fault", "a", "add", "lie", "flush", "drop");
            }

            for (int row = 1; row <= Commits; row++)
            {
                BlockMachine.Ok("sqlite3", Path.Combine(mount, "db"), $"pragma journal_mode=persist; {Sql(row)}");
            }

            daemon.UdmOk("fault", "a", "power_cut");
            BlockMachine.Ok("fusermount3", "-u", mount);
            Assert.True(SpinWait.SpinUntil(() => daemon.UdmOk("info", "-c", "--noheadings", "-o", "open", "a") == "0\n", TimeSpan.FromSeconds(120)));
            daemon.UdmOk("fault", "a", "power_on", "keep=none");
            daemon.UdmOk("fault", "a", "clear");
            (int status, string output) = RunCheck(daemon.FileOf("a"), Commits);
            Assert.True(status == (dropsFlushes ? 1 : 0), output);
        }
        finally
        {
            BlockMachine.Run("fusermount3", "-uqz", mount);
            Directory.Delete(mount);
        }
    }

    /// <summary>A device with a file system, mounted, and a database of one commit.</summary>
    private static void Begin(BlockMachine machine, string table)
    {
        machine.Daemon.UdmOk("create", machine.Name("a"), "--table", table);
        machine.MakeFileSystem("a");
        machine.MountIt("a");
        Commit(machine, 1);
    }

    private static BlockMachine NewMachine()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/sqlite3"), "needs sqlite3");
        return new BlockMachine();
    }

    // With "full" the deletion of the journal may be undone by a power cut, and the last commit with it: SQLite documents that.
    private static string Sql(int row) => $"pragma synchronous=extra; create table if not exists t(n, text); insert into t values ({row}, hex(randomblob(5000)));";

    private static void Commit(BlockMachine machine, int row) => BlockMachine.Ok("sqlite3", Path.Combine(machine.Mount, "db"), Sql(row));

    private static (int Status, string Output) RunCheck(string device, int rows) =>
        BlockMachine.Run("env", $"UDM_DEVICE={device}", $"UDM_MARK={rows}", "sh", "-c", Check);
}
