using System.Runtime.InteropServices;
using Udm.Tests.Daemon;

namespace Udm.Tests.Run;

/// <summary>cryptsetup, veritysetup and integritysetup, that nobody changed, under <c>udm run</c>.</summary>
public sealed class CryptsetupTests
{
    private const int Timeout = 300_000;
    private const string Fast = "-q --pbkdf pbkdf2 --pbkdf-force-iterations 1000";

    /// <summary>Each way to have an encrypted volume: how it is formatted, and the options of every later use.</summary>
    public static TheoryData<string, string, string> Kinds => new()
    {
        { "LUKS2", $"cryptsetup luksFormat --type luks2 {Fast} $DISK $KEY", "" },
        { "LUKS2 without keyring", $"cryptsetup luksFormat --type luks2 {Fast} $DISK $KEY", "--disable-keyring" },
        { "LUKS1", $"cryptsetup luksFormat --type luks1 {Fast} $DISK $KEY", "" },
    };

    [Theory(Timeout = Timeout)]
    [MemberData(nameof(Kinds))]
    public void A_LUKS_volume_is_opened_resized_suspended_resumed_and_closed(string kind, string format, string options)
    {
        Assert.NotEmpty(kind);
        using Disk disk = new();
        disk.Run($"{format}; cryptsetup open {options} -d $KEY $DISK $NAME");
        Assert.Contains(
            kind == "LUKS2" ? "keyring" : "dm-crypt", disk.Run("cryptsetup status $NAME").Split('\n').First(line => line.Contains("key location")));
        disk.Run(
            $"""
            mkfs.ext4 -q $NODE 16M; mount $NODE $MNT; cp /etc/services $MNT/file
            refuse cryptsetup close $NAME
            cryptsetup luksSuspend $NAME; cryptsetup luksResume {options} -d $KEY $NAME; cmp /etc/services $MNT/file; umount $MNT
            cryptsetup resize {options} -d $KEY --size 40960 $NAME; test $(blockdev --getsz $NODE) = 40960
            cryptsetup close $NAME; test ! -e $NODE
            cryptsetup open {options} -d $KEY $DISK $NAME; e2fsck -fn $NODE; cryptsetup close $NAME
            """);
    }

    [Fact(Timeout = Timeout)]
    public void A_plain_volume_is_opened_and_closed()
    {
        using Disk disk = new();
        const string Open = "cryptsetup open --type plain -c aes-xts-plain64 -s 512 -d $KEY --keyfile-size 64 $DISK $NAME";
        disk.Run($"head -c 64 /etc/services >$KEY; {Open}; mkfs.ext4 -q $NODE 16M; cryptsetup close $NAME; {Open}; e2fsck -fn $NODE; cryptsetup close $NAME");
    }

    [Fact(Timeout = Timeout)]
    public void A_verity_device_is_formatted_verified_opened_and_closed_and_finds_a_changed_byte()
    {
        using Disk disk = new();
        disk.Run(
            """
            seq 300000 | head -c 1M >$DIR/data; truncate -s 1M $DIR/hash
            hash=$(veritysetup format $DIR/data $DIR/hash | sed -n 's/^Root hash:[[:space:]]*//p')
            veritysetup verify $DIR/data $DIR/hash $hash; veritysetup open $DIR/data $NAME $DIR/hash $hash
            cmp $NODE $DIR/data; veritysetup status $NAME | grep -q verified; veritysetup close $NAME
            printf x | dd of=$DIR/data bs=1 seek=500000 conv=notrunc status=none
            veritysetup open $DIR/data $NAME $DIR/hash $hash; refuse cat $NODE; veritysetup status $NAME | grep -q corrupted; veritysetup close $NAME
            """);
    }

    [Fact(Timeout = Timeout)]
    public void An_integrity_device_is_formatted_opened_and_closed()
    {
        using Disk disk = new();
        disk.Run(
            """
            integritysetup format -q $DISK; integritysetup open $DISK $NAME
            mkfs.ext4 -q $NODE 16M; mount $NODE $MNT; cp /etc/services $MNT/file; umount $MNT; integritysetup close $NAME
            integritysetup open $DISK $NAME; e2fsck -fn $NODE; integritysetup close $NAME
            """);
    }

    /// <summary>A mapped device of 64 MiB, a key, and the names that scripts use.</summary>
    private sealed class Disk : IDisposable
    {
        private readonly BlockMachine _machine;
        private readonly string _key;

        public Disk()
        {
            Assert.SkipUnless(RuntimeInformation.ProcessArchitecture == Architecture.X64, "needs x86-64");
            Assert.SkipUnless(File.Exists("/usr/sbin/cryptsetup"), "needs cryptsetup");
            _machine = new BlockMachine();
            _machine.Create("disk", 131072);
            _key = Path.Combine(_machine.Folder, "key");
            File.WriteAllText(_key, "a secret");
        }

        /// <summary>Runs a script of commands that must succeed, all of them under <c>udm run</c>.</summary>
        public string Run(string script)
        {
            (int status, string output) = BlockMachine.Run(
                "env",
                $"UDM_RUN={_machine.Folder}/run", $"DIR={_machine.Folder}", $"DISK={_machine.NodeOf("disk")}", $"NAME={_machine.Name("v")}",
                $"NODE={_machine.NodeOf("v")}", $"KEY={_key}", $"MNT={_machine.Mount}",
                Path.Combine(AppContext.BaseDirectory, "udm"), "run", "bash", "-ec", BlockMachine.Refuse + script);
            Assert.True(status == 0, $"{script}: {status}\n{output}");
            return output;
        }

        public void Dispose() => _machine.Dispose();
    }
}
