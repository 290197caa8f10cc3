using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Udm.Tests.Daemon;

namespace Udm.Tests.Run;

/// <summary>lvm2, that nobody changed, under <c>udm run</c>: the lives of volume groups on a mapped device and on a loop device.</summary>
public sealed class LvmTests
{
    private const int Timeout = 480_000;

    /// <summary>Each kind of volume that lvm can make on udm's targets: how it is made, and the targets that its devices have then.</summary>
    public static TheoryData<string, string, string> Kinds => new()
    {
        { "linear", "lvcreate -y -q -L 40M -n v $VG", "linear" },
        { "striped", "lvcreate -y -q -i 2 -I 64k -L 40M -n v $VG", "striped" },
        { "snapshot", "lvcreate -y -q -L 40M -n v $VG; mkfs.ext4 -q $LV; lvcreate -y -q -s -L 16M -n s $VG/v", "linear snapshot snapshot-origin" },
        { "mirror", "lvcreate -y -q --type mirror -m 1 --mirrorlog core -L 40M -n v $VG", "linear mirror" },
        { "thin", "lvcreate -y -q -L 40M -T $VG/pool; lvcreate -y -q -V 40M -T $VG/pool -n v; lvcreate -y -q -s -kn $VG/v -n s", "linear thin thin-pool" },
    };

    [Theory(Timeout = Timeout)]
    [MemberData(nameof(Kinds))]
    public void A_volume_group_lives_with_a_volume(string kind, string make, string targets)
    {
        using Group group = new();
        group.Run("vgcreate -q $VG $PVS");
        group.Run(make);
        Assert.Equal(targets, group.Targets());

        // A file system on it is used, and keeps it.
        group.Run("mkfs.ext4 -q -E nodiscard $LV; mount $LV $MNT; cp /etc/services $MNT/file");
        Assert.Contains("in use", group.Refused("lvremove -y -q $VG/v"));
        Assert.Contains("in use", group.Refused("lvchange -an -q $VG"));
        group.Run("cmp /etc/services $MNT/file; umount $MNT");

        // It grows, is switched off and on, goes to another machine and comes back.
        if (kind is not ("snapshot" or "mirror")) // of which the one has no room
        {
            group.Run("lvextend -q -L +24M $VG/v; e2fsck -fp $LV; resize2fs $LV; test $(blockdev --getsize64 $LV) = $((64 << 20))");
        }

        group.Run("vgchange -q -an $VG; test ! -e $LV; vgexport -q $VG");
        Assert.Contains("exported", group.Refused("vgchange -q -ay $VG"));
        group.Run("vgimport -q $VG; vgchange -q -ay $VG; e2fsck -fn $LV");

        // All of it is on the disks: another daemon finds it.
        group.StartAgain();
        Assert.DoesNotContain(group.Vg, group.Machine.Daemon.UdmOk("ls"));
        group.Run("vgchange -q -ay -K $VG; e2fsck -fn $LV; mount $LV $MNT; cmp /etc/services $MNT/file; umount $MNT");
        Assert.Equal(targets, group.Targets());
        group.Run("lvremove -y -q $VG; vgremove -q $VG; pvremove -q $PVS");
        Assert.Single(group.Machine.Daemon.UdmOk("ls").Trim().Split('\n'));
    }

    [Fact(Timeout = Timeout)]
    public void A_volume_group_is_looked_after()
    {
        using Group group = new();
        group.Run(
            """
            vgcreate -q $VG $PVS; lvcreate -y -q -L 24M -n v $VG; mkfs.ext4 -q $LV; lvchange -q --refresh $VG/v; vgchange -q --refresh $VG
            vgck $VG; vgck --updatemetadata $VG; vgscan -q --mknodes; vgcfgbackup -q -f $MNT/backup $VG; vgcfgrestore -y -q -f $MNT/backup $VG; e2fsck -fn $LV

            # What a snapshot kept comes back when it is merged; a thin pool's metadata is repaired.
            lvcreate -y -q -L 12M -s -n s $VG/v; mount $LV $MNT; cp /etc/services $MNT/file; umount $MNT
            lvconvert -y -q --merge $VG/s; refuse lvs $VG/s; mount $LV $MNT; refuse test -e $MNT/file; umount $MNT
            lvcreate -y -q -L 16M -T $VG/p; lvcreate -y -q -V 16M -T $VG/p -n t; echo kept >/dev/$VG/t
            lvchange -q -an $VG/t $VG/p; lvconvert -y -q --repair $VG/p; lvchange -q -ay $VG/p $VG/t; test "$(head -n 1 /dev/$VG/t)" = kept

            # Read-only is for writers; names change.
            lvchange -q -pr $VG/v; refuse dd if=/dev/zero of=$LV count=1 conv=notrunc; lvchange -q -prw $VG/v
            vgchange -q -an $VG; lvrename -q $VG v w; vgrename -q $VG ${VG}x; vgchange -q -ay ${VG}x; e2fsck -fn /dev/${VG}x/w
            vgremove -q -y ${VG}x
            """);
    }

    /// <summary>pvmove and lvconvert copy by mirrors.</summary>
    [Fact(Timeout = Timeout)]
    public void A_volume_is_moved_while_it_is_mounted_and_gets_a_mirror()
    {
        using Group group = new();
        group.Run(
            """
            vgcreate -q $VG $PVS; set -- $PVS; on() { lvs --noheadings -o devices $VG/v | xargs; }
            lvcreate -y -q -L 24M -n v $VG $1; mkfs.ext4 -q $LV; mount $LV $MNT; cp /etc/services $MNT/file
            pvmove -q -i 1 -n v $1 $2; test "$(on)" = "$2(0)"; cp /etc/services $MNT/another; pvmove -q -i 1 $2 $1; test "$(on)" = "$1(0)"
            cmp /etc/services $MNT/file; cmp /etc/services $MNT/another

            # The second leg becomes the only one.
            lvconvert -y -q -i 1 --type mirror -m 1 --mirrorlog core $VG/v $2; test "$(on)" = "v_mimage_0(0),v_mimage_1(0)"
            lvconvert -y -q -m 0 $VG/v $1; test "$(on)" = "$2(0)"; umount $MNT; e2fsck -fn $LV; mount $LV $MNT; cmp /etc/services $MNT/another; umount $MNT
            lvremove -y -q $VG/v

            # A log on a disk knows after a restart that nothing is to be copied; a mirror grows.
            lvcreate -y -q --type mirror -m 1 --mirrorlog disk --alloc anywhere -L 16M -n v $VG; until test "$(lvs --noheadings -o copy_percent $VG/v | xargs)" = 100.00; do sleep .2; done
            lvextend -q --alloc anywhere -L 24M $VG/v; mkfs.ext4 -q $LV; vgchange -q -an $VG; vgchange -q -ay $VG; e2fsck -fn $LV
            lvconvert -y -q --mirrorlog core $VG/v; lvremove -y -q $VG/v; vgremove -q $VG
            """);
        Assert.Single(group.Machine.Daemon.UdmOk("ls").Trim().Split('\n'));
    }

    [Fact(Timeout = Timeout)]
    public void A_volume_that_is_merely_open_is_not_switched_off()
    {
        using Group group = new();
        group.Run("vgcreate -q $VG $PVS; lvcreate -y -q -L 8M -n v $VG");
        group.Run("exec 3<>$LV; refuse lvchange -an -q $VG; echo kept >&3; exec 3>&-; lvchange -an -q $VG; lvchange -ay -q $VG; test \"$(head -n 1 $LV)\" = kept");
    }

    [Fact(Timeout = Timeout)]
    public void Lsblk_sees_a_volume_once_and_where_it_is_mounted()
    {
        using Group group = new();
        group.Run("vgcreate -q $VG $PVS; lvcreate -y -q -i 2 -L 8M -n v $VG; mkfs.ext4 -q $LV; mount $LV $MNT");
        string number = group.Run("lvs --noheadings --separator : -o lv_kernel_major,lv_kernel_minor $VG").Trim();
        string[] lines = [.. group.Run("lsblk -rno NAME,MAJ:MIN,TYPE,MOUNTPOINT").Split('\n').Where(line => line.Contains(group.Vg))];
        Assert.Equal(2, lines.Length); // below each of its disks
        Assert.All(lines, line => Assert.Equal($"{group.Vg}-v {number} lvm {group.Machine.Mount}", line));
        Assert.Equal(number, group.Run("findmnt -no MAJ:MIN $MNT").Trim());
        group.Run("umount $MNT");
    }

    [Fact(Timeout = Timeout)]
    public void A_mounted_xfs_grows_with_its_volume()
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/mkfs.xfs"), "needs mkfs.xfs");
        using Group group = new();
        group.Run(
            """
            vgcreate -q $VG $PVS; lvcreate -y -q -L 300M -n v $VG; mkfs.xfs -q -K $LV; mount $LV $MNT; cp /etc/services $MNT/file
            blocks() { stat -f -c %b $MNT; }; before=$(blocks); lvextend -r -q -L +100M $VG/v; test $(blocks) -gt $before
            cmp /etc/services $MNT/file; umount $MNT
            """);
    }

    /// <summary>resize2fs looks whether the number of what is mounted is the volume's; then the kernel wants CAP_SYS_RESOURCE.</summary>
    [Fact(Timeout = Timeout)]
    public void A_mounted_ext4_grows_with_its_volume()
    {
        using Group group = new();
        group.Run("vgcreate -q $VG $PVS; lvcreate -y -q -L 40M -n v $VG; mkfs.ext4 -q $LV; mount $LV $MNT");
        string output = group.Run("test $(stat -c %Hd:%Ld $MNT) = $(stat -Lc %Hr:%Lr $LV); lvextend -r -L +24M $VG/v 2>&1 || true");
        Assert.Contains("on-line resizing required", output);
        if (!output.Contains("Permission denied to resize filesystem"))
        {
            group.Run("test $(stat -f -c %b $MNT) -gt $((48 << 10))");
        }

        group.Run("umount $MNT; e2fsck -fn $LV");
    }

    [Fact(Timeout = Timeout)]
    public void A_volume_is_trimmed_discarded_and_swapped_to()
    {
        using Group group = new();
        group.Run(
            """
            vgcreate -q $VG $PVS; lvcreate -y -q -L 8M -n v $VG; mkfs.ext4 -q $LV; mount $LV $MNT; fstrim $MNT; umount $MNT; e2fsck -fn $LV
            blkdiscard -f $LV; cmp -n $((8 << 20)) $LV /dev/zero
            trap 'swapoff $LV' EXIT; mkswap -q $LV 64 # KiB: the machine may use it at once, and no more is at stake
            node=/dev/$(basename $(readlink /sys/dev/block/$(stat -Lc %Hr:%Lr $LV)))
            for path in $LV $node; do
              swapon -p 0 $path; swapon --show=NAME --noheadings | grep -qx $node; refuse lvchange -an -q $VG
              perl -e 'exit(syscall(168, $ARGV[0]) != 0)' $path # swapoff(2): the program takes a name of its own
              refuse grep -q "^$node " /proc/swaps
            done
            trap - EXIT
            """);
    }

    /// <summary>Data and metadata of a pool grow under a file system; snapshots of a volume come, are merged and go; a volume has an external origin.</summary>
    [Fact(Timeout = Timeout)]
    public void A_thin_pool_lives_with_its_volumes()
    {
        using Group group = new();
        group.Run(
            """
            vgcreate -q $VG $PVS; lvcreate -y -q -L 8M --poolmetadatasize 4M -c 64k -T $VG/p; lvcreate -y -q -V 64M -T $VG/p -n v
            mkfs.ext4 -q -E nodiscard $LV; mount $LV $MNT; cp /etc/services $MNT/file
            lvextend -q -L +24M $VG/p; lvextend -q --poolmetadatasize +4M $VG/p; lvextend -q -L +64M $VG/v
            test "$(lvs --noheadings --units m -o lv_size,lv_metadata_size $VG/p | xargs)" = "32.00m 8.00m"; test $(blockdev --getsize64 $LV) = $((128 << 20))
            dd if=/dev/urandom of=$MNT/large bs=1M count=12 conv=fsync status=none; umount $MNT; e2fsck -fn $LV; mount $LV $MNT
            lvcreate -y -q -s -n s $VG/v; lvcreate -y -q -s -n u $VG/s; echo changed >$MNT/file; umount $MNT
            lvchange -q -ay -K $VG/s; mount -o ro /dev/$VG/s $MNT; cmp /etc/services $MNT/file; umount $MNT
            lvchange -q --discards nopassdown $VG/p; lvchange -q --discards passdown $VG/p; lvchange -q --errorwhenfull y $VG/p
            lvremove -y -q $VG/u; lvchange -q -an $VG/s; lvconvert -y -q --merge $VG/s; refuse lvs $VG/s; mount $LV $MNT; cmp /etc/services $MNT/file; umount $MNT

            # What an external origin has is read through; it is only read, and never written.
            lvcreate -y -q -L 8M -n o $VG; mkfs.ext4 -q /dev/$VG/o; lvchange -q -an $VG/o; lvchange -q -pr $VG/o; lvcreate -y -q -s --thinpool $VG/p -n e $VG/o
            mount /dev/$VG/e $MNT; cp /etc/services $MNT/file; umount $MNT; lvchange -q -ay $VG/o; e2fsck -fn /dev/$VG/o; mount -o ro,noload /dev/$VG/o $MNT; refuse test -e $MNT/file; umount $MNT
            lvremove -y -q $VG/e; lvremove -y -q $VG/v; test "$(lvs --noheadings -o data_percent,thin_count $VG/p | xargs)" = "0.00 0"
            vgchange -q -an $VG; vgchange -q -ay $VG; lvremove -y -q $VG/p; lvremove -y -q $VG/o; vgremove -q $VG
            """);
        Assert.Single(group.Machine.Daemon.UdmOk("ls").Trim().Split('\n'));
    }

    /// <summary>dmeventd stays, is answered after <c>udm run</c> has ended, and gives up when the daemon has gone.</summary>
    [Fact(Timeout = Timeout)]
    public void A_monitored_pool_grows_by_itself()
    {
        using Group group = new(monitoring: true);
        string made = group.Run("vgcreate -q $VG $PVS; lvcreate -y -q -L 20M -T $VG/p; lvcreate -y -q -V 64M -T $VG/p -n v; echo pid=$(cat /run/dmeventd.pid)");
        int dmeventd = int.Parse(Regex.Match(made, @"pid=(\d+)").Groups[1].Value);
        try
        {
            string pool = $"{group.Vg}-p-tpool";
            string before = group.Machine.Daemon.UdmOk("table", pool).Split(' ')[1];
            BlockMachine.Ok("dd", "if=/dev/urandom", $"of={group.Machine.Daemon.FileOf($"{group.Vg}-v")}", "bs=1M", "count=18", "conv=notrunc", "status=none");
            WaitFor(() => group.Machine.Daemon.UdmOk("table", pool).Split(' ')[1] != before, "the pool does not grow");
            group.Machine.Daemon.Signal("TERM");
            WaitFor(() => Directory.GetDirectories($"/proc/{dmeventd}/task").Length == 1, "dmeventd still waits for events");
        }
        finally
        {
            BlockMachine.Run("kill", dmeventd.ToString());
            WaitFor(() => Directory.GetDirectories($"{group.Machine.Folder}/run", "seen-*").Length == 0, "dmeventd does not end, or its supervisor");
        }
    }

    private static void WaitFor(Func<bool> condition, string failure) =>
        Assert.True(SpinWait.SpinUntil(condition, TimeSpan.FromMinutes(3)), failure);

    /// <summary>A volume group with a physical volume on a mapped device and one on a loop device, and nothing else in lvm's sight.</summary>
    private sealed class Group : IDisposable
    {
        private readonly string _system;
        private readonly string _loop;
        private readonly string[] _program = [Path.Combine(AppContext.BaseDirectory, "udm"), "run"];

        /// <summary>Makes the disks.</summary>
        /// <param name="monitoring">Whether dmeventd watches; there is one for all of /run, so the group has a /run of its own.</param>
        public Group(bool monitoring = false)
        {
            Assert.SkipUnless(RuntimeInformation.ProcessArchitecture == Architecture.X64, "needs x86-64");
            Assert.SkipUnless(File.Exists("/usr/sbin/lvm"), "needs lvm");
            Machine = new BlockMachine();
            if (monitoring)
            {
                _program = ["unshare", "--mount", "sh", "-c", "mount -t tmpfs none /run && exec \"$@\"", "-", .. _program];
            }

            try
            {
                string image = Path.Combine(Machine.Folder, "second");
                BlockMachine.Ok("truncate", "-s", "1G", image);
                _loop = BlockMachine.Ok("losetup", "-f", "--show", image).Trim();
                Machine.Create("pv", 131072);
                _system = Directory.CreateDirectory(Path.Combine(Machine.Folder, "lvm")).FullName;
                File.WriteAllText(
                    Path.Combine(_system, "lvm.conf"),
                    $$"""
                    devices { filter = [ "a|^{{Machine.NodeOf("pv")}}$|", "a|^{{_loop}}$|", "r|.*|" ] hints = "none" }
                    global { locking_dir = "{{_system}}/lock" use_lvmpolld = 0 }
                    activation { monitoring = {{(monitoring ? 1 : 0)}} thin_pool_autoextend_threshold = 70 thin_pool_autoextend_percent = 50 }
                    """);
            }
            catch
            {
                Machine.Dispose();
                throw;
            }
        }

        public BlockMachine Machine { get; }

        public string Vg => Machine.Name("vg").Replace("-", "");

        /// <summary>Runs a script of commands that must succeed, all of them under <c>udm run</c>.</summary>
        public string Run(string script)
        {
            (int status, string output) = Try(script);
            Assert.True(status == 0, $"{script}: {status}\n{output}");
            return output;
        }

        /// <summary>What a command says that must not succeed.</summary>
        public string Refused(string script)
        {
            (int status, string output) = Try(script);
            Assert.True(status != 0, $"{script}\n{output}");
            return output;
        }

        /// <summary>The types of the group's targets.</summary>
        public string Targets() => string.Join(' ', Machine.Daemon.UdmOk("table")
            .Split('\n').Where(line => line.StartsWith(Vg, StringComparison.Ordinal)).Select(line => line.Split(' ')[3]).Distinct().Order(StringComparer.Ordinal));

        public void StartAgain()
        {
            Machine.Daemon.Signal("TERM");
            Machine.Daemon.WaitForEnd();
            Machine.StartAgain();
            Machine.Create("pv", 131072);
        }

        public void Dispose()
        {
            Machine.Dispose();
            if (Directory.Exists("/dev/" + Vg))
            {
                Directory.Delete("/dev/" + Vg, recursive: true);
            }
        }

        private (int Status, string Output) Try(string script) => BlockMachine.Run("env", [
            $"UDM_RUN={Machine.Folder}/run", $"LVM_SYSTEM_DIR={_system}", "LVM_SUPPRESS_FD_WARNINGS=1", $"VG={Vg}", $"LV=/dev/{Vg}/v",
            $"PVS={Machine.NodeOf("pv")} {_loop}", $"MNT={Machine.Mount}",
            .. _program, "bash", "-ec", BlockMachine.Refuse + script]);
    }
}
