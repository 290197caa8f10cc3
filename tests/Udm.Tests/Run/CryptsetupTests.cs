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
        { "LUKS2 with HCTR2", $"cryptsetup luksFormat --type luks2 --cipher 'capi:hctr2(aes)-plain64' --key-size 256 {Fast} $DISK $KEY", "" },
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
            kind is "LUKS2" or "LUKS2 with HCTR2" ? "keyring" : "dm-crypt", disk.Run("cryptsetup status $NAME").Split('\n').First(line => line.Contains("key location")));
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

    /// <summary>Authenticated encryption: crypt over an integrity device that cryptsetup makes below it.</summary>
    [Theory(Timeout = Timeout)]
    [InlineData("--integrity hmac-sha256", "integrity:32:aead")]
    [InlineData("--cipher aes-xts-random --integrity hmac-sha256", "integrity:48:aead")]
    [InlineData("--cipher aes-cbc-essiv:sha256 --integrity hmac-sha256 --sector-size 4096", "sector_size:4096")]
    public void A_LUKS_volume_with_integrity_finds_a_changed_sector(string options, string inTable)
    {
        using Disk disk = new();
        disk.Run(
            $"""
            cryptsetup luksFormat --type luks2 {Fast} {options} $DISK $KEY; cryptsetup open -d $KEY $DISK $NAME
            dmsetup table $NAME | grep -q {inTable}; seq 100000 | head -c 64k >$DIR/data
            dd if=$DIR/data of=$NODE bs=64k oflag=direct status=none; cryptsetup close $NAME
            cryptsetup open -d $KEY $DISK $NAME; dd if=$NODE bs=64k count=1 iflag=direct status=none | cmp - $DIR/data
            dd if=/dev/zero of=/dev/mapper/$NAME"_dif" bs=4k seek=1 count=1 oflag=direct conv=notrunc status=none
            refuse dd if=$NODE of=/dev/null bs=4k skip=1 count=1 iflag=direct status=none
            dd if=$NODE of=/dev/null bs=4k skip=2 count=14 iflag=direct status=none; cryptsetup close $NAME
            """);
    }

    /// <summary>Volumes with integrity that cryptsetup formatted: how, the options of <c>udm luks open</c>, and how often it has to be given them.</summary>
    [Theory(Timeout = Timeout)]
    [InlineData("--integrity hmac-sha256", "")]
    [InlineData("--integrity hmac-sha256 --sector-size 4096", "")]
    [InlineData("--integrity hmac-sha1 --integrity-legacy-padding", "--readonly")]
    [InlineData("--cipher aes-xts-random --integrity hmac-sha512 --integrity-no-journal", "--integrity-no-journal")]
    [InlineData("--cipher aes-cbc-essiv:sha256 --integrity hmac-sha256 --sector-size 4096", "")]
    public void A_LUKS_volume_with_integrity_is_opened_as_cryptsetup_does(string format, string options)
    {
        using Disk disk = new();
        string tables = "(dmsetup table $NAME; dmsetup table ${NAME}_dif; dmsetup info -c --noheadings -o uuid,attr,open,name)";
        disk.Run(
            $"""
            cryptsetup luksFormat --type luks2 {Fast} {format} $DISK $KEY; cryptsetup open -d $KEY $DISK $NAME
            seq 100000 | head -c 64k >$DIR/data; dd if=$DIR/data of=$NODE bs=64k oflag=direct status=none; cryptsetup close $NAME
            cryptsetup open {options} -d $KEY $DISK $NAME; {tables} >$DIR/theirs; cryptsetup close $NAME
            """);

        disk.Udm($"luks open {options} --key-file $KEY $DISK $NAME");
        disk.Run($"{tables} | diff $DIR/theirs -; dd if=$NODE bs=64k count=1 iflag=direct status=none | cmp - $DIR/data");
        if (options != "--readonly")
        {
            disk.Run("dd if=/etc/services of=$NODE bs=4k seek=16 count=2 oflag=direct status=none");
        }

        disk.Udm("luks close $NAME");
        disk.Run("test $(dmsetup info -c --noheadings | wc -l) = 1; cryptsetup open -d $KEY $DISK $NAME; dd if=$NODE bs=64k count=1 iflag=direct status=none | cmp - $DIR/data");
        if (options != "--readonly")
        {
            disk.Run("dd if=$NODE bs=4k skip=16 count=2 iflag=direct status=none | cmp -n 8192 - /etc/services");
        }

        disk.Udm("luks close $NAME"); // what cryptsetup opened
        disk.Run("test $(dmsetup info -c --noheadings | wc -l) = 1");
    }

    /// <summary>The other way round, and so with ciphers that cryptsetup does not format where the kernel's crypto API is out of reach.</summary>
    [Theory(Timeout = Timeout)]
    [InlineData("--integrity hmac-sha256", "integrity:32:aead sector_size:4096")]
    [InlineData("--integrity hmac-sha512 --cipher aes-xts-random --sector-size 512", "integrity:80:aead")]
    [InlineData("--integrity poly1305 --cipher chacha20-random --key-size 256 --sector-size 512", "capi:rfc7539(chacha20,poly1305)-random .* integrity:28:aead")]
    [InlineData("--integrity poly1305 --cipher chacha20-plain64 --key-size 256", "capi:rfc7539(chacha20,poly1305)-plain64 .* integrity:16:aead")]
    [InlineData("--integrity aead --cipher aes-gcm-random --key-size 256", "capi:gcm(aes)-random .* integrity:28:aead")]
    [InlineData("--integrity aead --cipher aes-gcm-plain64 --key-size 128 --sector-size 512", "capi:gcm(aes)-plain64 .* integrity:16:aead")]
    [InlineData("--integrity aead --cipher aegis128-random --key-size 128", "capi:aegis128-random .* integrity:32:aead")]
    [InlineData("--integrity aead --cipher aes-ccm-random --key-size 280", "capi:rfc4309(ccm(aes))-random .* integrity:24:aead")]
    [InlineData("--integrity none --cipher aes-xts-random", "capi:xts(aes)-random .* integrity:16:none")]
    public void A_new_LUKS_volume_with_integrity_is_opened_by_cryptsetup(string format, string inTable)
    {
        using Disk disk = new();
        string tables = "(dmsetup table $NAME; dmsetup table ${NAME}_dif; dmsetup info -c --noheadings -o uuid,attr,open,name)";
        disk.Udm($"luks format --pbkdf pbkdf2 --iterations 1000 --key-file $KEY {format} $DISK");
        disk.Udm("luks open --key-file $KEY $DISK $NAME");
        disk.Run($"cmp -n $(blockdev --getsize64 $NODE) $NODE /dev/zero; dd if=/etc/services of=$NODE bs=4k count=2 oflag=direct status=none; {tables} >$DIR/ours");
        disk.Udm("luks close $NAME");
        disk.Run(
            $"""
            grep -q '{inTable}' $DIR/ours; cryptsetup open -d $KEY $DISK $NAME; {tables} | diff $DIR/ours -
            dd if=$NODE bs=4k count=2 iflag=direct status=none | cmp -n 8192 - /etc/services; cmp -i 8192 -n 1048576 $NODE /dev/zero
            """);
        disk.Udm("luks close $NAME");
    }

    [Fact(Timeout = Timeout)]
    public void A_LUKS_volume_that_is_never_to_use_its_journal_does_not()
    {
        using Disk disk = new();
        disk.Run(
            $"""
            cryptsetup luksFormat --type luks2 {Fast} --integrity hmac-sha256 $DISK $KEY
            cryptsetup open --integrity-no-journal --persistent -d $KEY $DISK $NAME; cryptsetup close $NAME
            """);
        disk.Udm("luks open --key-file $KEY $DISK $NAME");
        disk.Run("dmsetup table ${NAME}_dif | grep -q ' integrity [^ ]* 32768 32 D '");
        disk.Udm("luks close $NAME");
    }

    [Fact(Timeout = Timeout)]
    public void A_LUKS_volume_is_reencrypted_closed_and_in_use_and_decrypted()
    {
        using Disk disk = new();
        disk.Run($"cryptsetup luksFormat --type luks2 {Fast} $DISK $KEY; cryptsetup open -d $KEY $DISK $NAME; cp /etc/services $NODE; cryptsetup close $NAME");
        disk.Run(
            $"""
            same() [[ $(head -c $(stat -Lc %s /etc/services) $1 | cmp - /etc/services && echo same) = same ]]
            cryptsetup reencrypt {Fast} -d $KEY -c aes-cbc-essiv:sha256 -s 256 $DISK
            cryptsetup luksDump $DISK | grep -q 'cipher: aes-cbc-essiv:sha256'
            cryptsetup open -d $KEY $DISK $NAME; same $NODE
            cryptsetup reencrypt {Fast} -d $KEY -c aes-xts-plain64 -s 256 --active-name $NAME; same $NODE; cryptsetup close $NAME
            cryptsetup luksDump $DISK | grep -q 'cipher: aes-xts-plain64'
            cryptsetup reencrypt --decrypt -q -d $KEY --header $DIR/header $DISK; same $DISK
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
    public void A_verity_device_whose_root_hash_is_signed_is_opened_and_others_are_not()
    {
        string keys = Directory.CreateTempSubdirectory("udm-keys").FullName;
        (int status, string made) = BlockMachine.Run(
            "bash", "-ec", $"cd {keys}; for i in good bad; do openssl req -x509 -newkey rsa:2048 -nodes -keyout $i.key -out $i.pem -subj /CN=$i; done");
        Assert.True(status == 0, made);
        using Disk disk = new("--verity-certificates", $"{keys}/good.pem");
        disk.Run(
            $$"""
            seq 300000 | head -c 1M >$DIR/data; truncate -s 1M $DIR/hash
            veritysetup format $DIR/data $DIR/hash --root-hash-file=$DIR/root; hash=$(cat $DIR/root)
            sign() { openssl smime -sign -nocerts -noattr -binary -in $2 -inkey {{keys}}/$1.key -signer {{keys}}/$1.pem -outform der -out $3; }
            sign good $DIR/root $DIR/sig; sign bad $DIR/root $DIR/bad; sign good /etc/services $DIR/other; head -c 700 /etc/services >$DIR/none
            veritysetup open $DIR/data $NAME $DIR/hash $hash --root-hash-signature=$DIR/sig
            cmp $NODE $DIR/data; veritysetup status $NAME | grep -q 'verified (with signature)'
            dmsetup table $NAME | grep -Eq ' 2 root_hash_sig_key_desc [^ ]+$'; veritysetup close $NAME
            for i in bad other none; do refuse veritysetup open $DIR/data $NAME $DIR/hash $hash --root-hash-signature=$DIR/$i; done
            refuse dmsetup info $NAME
            """);
        Directory.Delete(keys, recursive: true);
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

    public static TheoryData<string, string> IntegrityVolumes => new()
    {
        { "", "" },
        { "--integrity sha256 --sector-size 4096 --journal-size 1048576 --interleave-sectors 4096", "--integrity sha256" },
        { "--integrity hmac-sha256 --integrity-key-file $KEY --integrity-key-size 8", "-B --integrity hmac-sha256 --integrity-key-file $KEY --integrity-key-size 8" },
        {
            "--integrity crc32 --journal-integrity hmac-sha256 --journal-integrity-key-file $KEY --journal-integrity-key-size 8 --no-wipe",
            "--integrity crc32 --journal-integrity hmac-sha256 --journal-integrity-key-file $KEY --journal-integrity-key-size 8 --integrity-recalculate"
        },
    };

    /// <summary>What integritysetup formatted opens by <c>udm integrity</c>, and the other way round; the superblocks are the same but for their random salt.</summary>
    [Theory(Timeout = Timeout)]
    [MemberData(nameof(IntegrityVolumes))]
    public void Integrity_volumes_of_either_side_are_opened_by_the_other(string format, string open)
    {
        using Disk disk = new();
        disk.Run($"integritysetup format -q {format} $DISK; head -c 4096 $DISK >$DIR/theirs; integritysetup open {open} $DISK $NAME; cp /etc/services $NODE; integritysetup close $NAME");
        disk.Udm($"integrity open {open} $DISK $NAME");
        disk.Run("cmp -n $(stat -Lc %s /etc/services) /etc/services $NODE");
        disk.Udm("integrity close $NAME");

        disk.Udm($"integrity format --force {format} $DISK");
        disk.Run("head -c 4096 $DISK >$DIR/ours");
        disk.Udm($"integrity open {open} $DISK $NAME");
        disk.Run("cp /etc/services $NODE");
        disk.Udm("integrity close $NAME");
        disk.Run($"integritysetup open {open} $DISK $NAME; cmp -n $(stat -Lc %s /etc/services) /etc/services $NODE; integritysetup close $NAME");
        byte[] theirs = File.ReadAllBytes(disk.FileOf("theirs")), ours = File.ReadAllBytes(disk.FileOf("ours"));
        bool hasMac = format.Contains("--journal-integrity"); // which is of the salt, too
        Assert.Equal(Convert.ToHexString(theirs.AsSpan(0, 48)), Convert.ToHexString(ours.AsSpan(0, 48)));
        Assert.Equal(Convert.ToHexString(theirs.AsSpan(64, hasMac ? 512 - 64 - 32 : 4096 - 64)), Convert.ToHexString(ours.AsSpan(64, hasMac ? 512 - 64 - 32 : 4096 - 64)));
    }

    /// <summary>A mapped device of 64 MiB, a key, and the names that scripts use.</summary>
    private sealed class Disk : IDisposable
    {
        private readonly BlockMachine _machine;
        private readonly string _key;

        public Disk(params string[] options)
        {
            Assert.SkipUnless(RuntimeInformation.ProcessArchitecture == Architecture.X64, "needs x86-64");
            Assert.SkipUnless(File.Exists("/usr/sbin/cryptsetup"), "needs cryptsetup");
            _machine = new BlockMachine(options);
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

        /// <summary>Runs a verb of udm, in whose words the same names are replaced.</summary>
        public void Udm(string words) => _machine.Daemon.UdmOk(words
            .Replace("$DISK", _machine.NodeOf("disk")).Replace("$NAME", _machine.Name("v")).Replace("$KEY", _key).Split(' ', StringSplitOptions.RemoveEmptyEntries));

        public string FileOf(string name) => Path.Combine(_machine.Folder, name);

        public void Dispose() => _machine.Dispose();
    }
}
