using System.Runtime.InteropServices;
using Udm.Tests.Daemon;

namespace Udm.Tests.Run;

/// <summary>Partitions of a mapped device, made by programs that nobody changed, under <c>udm run</c>.</summary>
public sealed class PartitionTests
{
    [Fact(Timeout = 300_000)]
    public void Partitions_are_devices_of_their_own_by_kpartx()
    {
        Assert.SkipUnless(RuntimeInformation.ProcessArchitecture == Architecture.X64, "needs x86-64");
        Assert.SkipUnless(File.Exists("/usr/sbin/sfdisk") && File.Exists("/usr/sbin/kpartx"), "needs sfdisk and kpartx");
        using BlockMachine machine = new();
        string disk = machine.Create("disk", 131072);
        string script = BlockMachine.Refuse +
            """
            printf 'label: gpt\n,20M\n,30M\n' | sfdisk -q $DISK
            kpartx -a -p -part $DISK
            test "$(lsblk -rno NAME,TYPE,SIZE $DISK | tail -n +2 | sort)" = "$(printf '%s\n' "$NAME-part1 part 20M" "$NAME-part2 part 30M")"
            mkfs.ext4 -q $DISK-part2; mount $DISK-part2 $MNT; cp /etc/services $MNT/file
            refuse kpartx -d -p -part $DISK
            umount $MNT; test "$(blkid -p -s PART_ENTRY_NUMBER -o value $DISK-part2)" = 2
            kpartx -d -p -part $DISK || true # those that were not in use before are gone already
            refuse test -e $DISK-part2; test "$(blkid -p -O $((21 << 20)) -s TYPE -o value $DISK)" = ext4
            """;
        (int status, string output) = BlockMachine.Run(
            "env", $"UDM_RUN={machine.Folder}/run", $"DISK={disk}", $"NAME={machine.Name("disk")}", $"MNT={machine.Mount}",
            Path.Combine(AppContext.BaseDirectory, "udm"), "run", "bash", "-exc", script);
        Assert.True(status == 0, $"{status}\n{output}");
    }
}
