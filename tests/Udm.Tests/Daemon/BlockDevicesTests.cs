using System.Diagnostics;
using DeviceMapper;
using DeviceMapper.Ioctl;
using DeviceMapper.Native;

namespace Udm.Tests.Daemon;

/// <summary>Mapped devices as block devices of the kernel, by other people's programs.</summary>
public sealed class BlockDevicesTests
{
    private const int Timeout = 240_000;
    private const int Rounds = 100;

    [Fact(Timeout = Timeout)]
    public void A_block_device_has_the_names_size_mode_and_limits_of_its_table()
    {
        using BlockMachine machine = new();
        string foreign = machine.NodeOf("foreign");
        string node = machine.Create("a");
        File.CreateSymbolicLink(foreign, "/dev/null");
        machine.Create("foreign");
        Assert.Equal("/dev/null", new FileInfo(foreign).LinkTarget);
        Assert.Equal("1", machine.Sys("a", "loop/dio"));
        Assert.Equal("65536", machine.Sys("a", "size"));
        Assert.Equal("0", machine.Sys("a", "ro"));
        Assert.NotEqual("0", machine.Sys("a", "queue/discard_max_bytes"));
        Assert.Equal(0, machine.OpenCountOf("a"));
        Assert.Contains(Path.GetFileName(machine.LoopOf("a")), BlockMachine.Ok("lsblk", node));

        // The next table is larger, read-only, and takes no discards.
        machine.Daemon.UdmOk("load", machine.Name("a"), "-r", "--table", $"0 65536 linear {machine.Image} 0\n65536 8 error");
        machine.Daemon.UdmOk("resume", machine.Name("a"));
        Assert.Equal("65544", machine.Sys("a", "size"));
        Assert.Equal("1", machine.Sys("a", "ro"));

        string loop = machine.LoopOf("a");
        machine.Daemon.UdmOk("rename", machine.Name("a"), machine.Name("b"));
        Assert.False(File.Exists(node));
        Assert.Equal(loop, machine.LoopOf("b"));
        Assert.Equal(loop, BlockMachine.Ok("readlink", "-f", machine.NodeOf("b")).Trim());

        machine.Daemon.UdmOk("block", "detach", machine.Name("b"));
        Assert.False(File.Exists(machine.NodeOf("b")));
        Assert.Equal(1, machine.Daemon.Udm("block", "show", machine.Name("b")).Status);
        machine.Daemon.UdmOk("block", "attach", machine.Name("b"));
        Assert.Equal("1", machine.Sys("b", "ro"));
        machine.Daemon.UdmOk("remove", machine.Name("b"));
        machine.Daemon.UdmOk("remove", machine.Name("foreign"));
        Assert.Empty(machine.Daemon.UdmOk("block", "ls"));
        Assert.NotEqual("0", File.ReadAllText($"/sys/block/{Path.GetFileName(loop)}/queue/discard_max_bytes").Trim()); // which nobody could take back
        Assert.Equal("/dev/null", new FileInfo(foreign).LinkTarget);
        Assert.DoesNotContain(machine.Folder, BlockMachine.Ok("losetup", "-a"));
    }

    [Fact(Timeout = Timeout)]
    public void A_mounted_device_is_not_removed_and_nothing_is_lost()
    {
        using BlockMachine machine = new();
        machine.Create("a");
        machine.MakeFileSystem("a");
        machine.MountIt("a");
        File.WriteAllText(Path.Combine(machine.Mount, "file"), "kept");
        Assert.Equal(1, machine.OpenCountOf("a"));
        RefuseRemovals(machine, $"is mounted on '{machine.Mount}'");
        Assert.Equal("kept", File.ReadAllText(Path.Combine(machine.Mount, "file")));
        File.WriteAllText(Path.Combine(machine.Mount, "file"), "kept again");
        machine.Unmount();
        Assert.Equal(0, machine.OpenCountOf("a"));
        BlockMachine.Ok("e2fsck", "-fn", machine.NodeOf("a"));
        machine.MountIt("a");
        Assert.Equal("kept again", File.ReadAllText(Path.Combine(machine.Mount, "file")));
        machine.Daemon.UdmOk("remove", "--deferred", machine.Name("a"));
        machine.Unmount();
        Assert.True(SpinWait.SpinUntil(() => machine.Daemon.Udm("info", machine.Name("a")).Status != 0, TimeSpan.FromSeconds(60)));
        Assert.DoesNotContain(machine.Folder, BlockMachine.Ok("losetup", "-a"));
    }

    [Fact(Timeout = Timeout)]
    public void A_device_that_dd_writes_to_is_not_removed_and_nothing_is_lost()
    {
        using BlockMachine machine = new();
        string node = machine.Create("a");
        byte[] data = new byte[1 << 20];
        new Random(5).NextBytes(data);
        using (Process dd = Process.Start(new ProcessStartInfo("dd", ["of=" + node, "bs=4k", "iflag=fullblock", "conv=notrunc"]) { RedirectStandardInput = true, RedirectStandardError = true })!)
        {
            dd.StandardInput.BaseStream.Write(data.AsSpan(0, data.Length / 2));
            dd.StandardInput.BaseStream.Flush();
            RefuseRemovals(machine, "open in dd");
            dd.StandardInput.BaseStream.Write(data.AsSpan(data.Length / 2));
            dd.StandardInput.Close();
            string error = dd.StandardError.ReadToEnd();
            dd.WaitForExit();
            Assert.True(dd.ExitCode == 0, error);
        }

        string written = Path.Combine(machine.Folder, "written");
        File.WriteAllBytes(written, data);
        BlockMachine.Ok("cmp", "-n", $"{data.Length}", written, machine.Daemon.FileOf(machine.Name("a")));
        machine.Daemon.UdmOk("remove", machine.Name("a"));
        Assert.Equal(data, File.ReadAllBytes(machine.Image)[..data.Length]);
    }

    [Fact(Timeout = Timeout)]
    public void A_snapshot_of_a_busy_file_system_needs_no_recovery()
    {
        using BlockMachine machine = new();
        machine.Create("a");
        machine.MakeFileSystem("a");
        machine.MountIt("a");
        using Process writer = BlockMachine.Begin(
            "sh", "-c", "i=0; while [ ! -e \"$0/stop\" ]; do i=$((i + 1)); mkdir \"$0/$i\" && echo $i >\"$0/$i/f\"; done", machine.Mount);
        try
        {
            Assert.True(SpinWait.SpinUntil(() => Directory.Exists(Path.Combine(machine.Mount, "20")), TimeSpan.FromSeconds(60)));
            string frozen = Copy(machine), notFrozen = Copy(machine, "--nolockfs");
            Assert.DoesNotContain("needs_recovery", BlockMachine.Ok("dumpe2fs", "-h", frozen));
            BlockMachine.Ok("e2fsck", "-fn", frozen);
            Assert.Contains("needs_recovery", BlockMachine.Ok("dumpe2fs", "-h", notFrozen));
        }
        finally
        {
            // The last word of the writer is a file, so that it ends by itself.
            File.WriteAllText(Path.Combine(machine.Mount, "stop"), "");
            Assert.Equal(0, BlockMachine.End(writer).Status);
        }
    }

    [Fact(Timeout = Timeout)]
    public void A_daemon_that_is_killed_leaves_nothing_frozen_and_the_next_one_cleans_up()
    {
        using BlockMachine machine = new();
        machine.Create("a");
        machine.Create("b");
        machine.MakeFileSystem("a");
        machine.MountIt("a");
        machine.Daemon.UdmOk("suspend", machine.Name("a"));
        machine.Kill();

        // It fails or not, but it does not wait for ever.
        BlockMachine.Run("touch", Path.Combine(machine.Mount, "file"));
        machine.Unmount();
        machine.StartAgain();
        Assert.DoesNotContain(machine.Folder, BlockMachine.Ok("losetup", "-a"));
        Assert.False(new FileInfo(machine.NodeOf("a")).Exists);
        Assert.Null(new FileInfo(machine.NodeOf("b")).LinkTarget);
        machine.Create("a");
        BlockMachine.Ok("e2fsck", "-fp", machine.NodeOf("a"));
        machine.Daemon.Signal("TERM");
        Assert.Equal(0, machine.Daemon.WaitForEnd());
        Assert.DoesNotContain(machine.Folder, BlockMachine.Ok("losetup", "-a"));
        Assert.Null(new FileInfo(machine.NodeOf("a")).LinkTarget);
    }

    [Fact(Timeout = Timeout)]
    public void A_block_device_of_ours_in_a_table_is_the_mapped_device_itself()
    {
        using BlockMachine machine = new();
        string node = machine.Create("a");
        string loop = machine.LoopOf("a");
        string number = BlockMachine.Ok("lsblk", "-dno", "MAJ:MIN", loop).Trim();
        string itself = machine.Daemon.UdmOk("info", "-c", "--noheadings", "--separator", ":", "-o", "major,minor", machine.Name("a")).Trim();
        machine.Daemon.UdmOk("create", machine.Name("top"), "--table", $"0 8 linear {node} 0\n8 8 linear {loop} 8\n16 8 linear {number} 16");
        Assert.Equal(
            $"0 8 linear {itself} 0\n8 8 linear {itself} 8\n16 8 linear {itself} 16", machine.Daemon.UdmOk("table", machine.Name("top")).Trim());
        Assert.Equal(1, machine.OpenCountOf("a"));
        string top = machine.LoopOf("top");
        Assert.Contains("the device that the table is for", machine.Daemon.Udm("load", machine.Name("a"), "--table", $"0 65536 linear {loop} 0").Error);
        machine.Daemon.UdmOk("load", machine.Name("a"), "--table", $"0 65536 linear {top} 0");
        Assert.Equal(1, machine.Daemon.Udm("resume", machine.Name("a")).Status); // it would lead back to itself
    }

    [Fact(Timeout = Timeout)]
    public void File_systems_grow_are_trimmed_and_checked()
    {
        using BlockMachine machine = new();
        string node = machine.Create("a");
        BlockMachine.Ok("blkdiscard", node);
        machine.MakeFileSystem("a");
        machine.MountIt("a");
        BlockMachine.Ok("fstrim", machine.Mount);
        machine.Daemon.UdmOk("load", machine.Name("a"), "--table", $"0 131072 linear {machine.Image} 0");
        machine.Daemon.UdmOk("resume", machine.Name("a"));
        (int status, string output) = BlockMachine.Run("resize2fs", node);
        machine.Unmount();
        BlockMachine.Ok("e2fsck", "-fn", node);
        if (status != 0)
        {
            Assert.Contains("Permission denied", output); // ext4 grows a mounted one only for who has CAP_SYS_RESOURCE
            BlockMachine.Ok("e2fsck", "-fp", node);
            BlockMachine.Ok("resize2fs", node);
        }

        Assert.Contains("65536", BlockMachine.Ok("dumpe2fs", "-h", node).Split('\n').First(line => line.StartsWith("Block count:", StringComparison.Ordinal)));
        BlockMachine.Ok("mkswap", node);
        (status, output) = BlockMachine.Run("swapon", node);
        if (status == 0)
        {
            Assert.Equal(1, machine.OpenCountOf("a"));
            Assert.Contains("swap", machine.Daemon.Udm("remove", machine.Name("a")).Error);
            BlockMachine.Ok("swapoff", node);
        }
        else
        {
            TestContext.Current.AddWarning($"swap is not to be had here: {output}");
        }
    }

    private static string Copy(BlockMachine machine, params string[] options)
    {
        string copy = Path.Combine(machine.Folder, "copy" + options.Length);
        machine.Daemon.UdmOk(["suspend", .. options, machine.Name("a")]);
        try
        {
            File.Copy(machine.Image, copy);
        }
        finally
        {
            machine.Daemon.UdmOk("resume", machine.Name("a"));
        }

        return copy;
    }

    private static void RefuseRemovals(BlockMachine machine, string reason)
    {
        using ControlClient control = new(Path.Combine(machine.Folder, "run", "control"));
        for (int i = 0; i < Rounds; i++)
        {
            DmException refusal = Assert.Throws<DmException>(() => control.Call(DmCommand.DevRemove, new DmIoctl { Name = machine.Name("a") }));
            Assert.Equal(Errno.EBUSY, refusal.Errno);
            Assert.Contains(reason, refusal.Message);
        }
    }
}
