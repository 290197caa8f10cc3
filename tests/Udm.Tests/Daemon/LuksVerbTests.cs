using System.Diagnostics;

namespace Udm.Tests.Daemon;

/// <summary>The verb <c>luks</c>, with volumes that cryptsetup formatted.</summary>
public sealed class LuksVerbTests
{
    [Fact]
    public void A_volume_is_opened_and_closed_and_its_header_is_shown()
    {
        using RunningDaemon daemon = new();
        string image = Path.Combine(daemon.Folder, "image"), keyFile = Path.Combine(daemon.Folder, "key");
        File.WriteAllText(keyFile, "secret");
        using (FileStream file = File.Create(image))
        {
            file.SetLength(20 << 20);
        }

        Assert.SkipUnless(File.Exists("/usr/sbin/cryptsetup"), "needs cryptsetup (cryptsetup-bin)");
        string[] options = ["-q", "--type", "luks2", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", "--key-file", keyFile];
        using (Process format = Process.Start("/usr/sbin/cryptsetup", ["luksFormat", .. options, image]))
        {
            format.WaitForExit();
            Assert.Equal(0, format.ExitCode);
        }

        Assert.Contains("cipher\taes-xts-plain64\n", daemon.UdmOk("luks", "dump", image));
        daemon.UdmOk("luks", "open", image, "m", "--key-file", keyFile, "--allow-discards");
        Assert.Matches("^0 8192 crypt aes-xts-plain64 0{128} 0 .*/image 32768 .*allow_discards", daemon.UdmOk("table", "m"));
        Assert.Matches("CRYPT-LUKS2-[0-9a-f]{32}-m", daemon.UdmOk("info", "m"));
        daemon.UdmOk("luks", "close", "m");

        File.WriteAllText(keyFile, "another");
        (int status, _, string error) = daemon.Udm("luks", "open", image, "m", "--key-file", keyFile);
        Assert.Equal((1, "udm: luks m: no keyslot has this passphrase (Operation not permitted)\n"), (status, error));
        Assert.DoesNotContain("m\t", daemon.UdmOk("ls"));

        daemon.UdmOk("create", "z", "--table", "0 8 zero");
        Assert.Contains("it is no LUKS volume", daemon.Udm("luks", "close", "z").Error);
        Assert.Equal(2, daemon.Udm("luks", "open", image).Status);
    }

    [Fact]
    public void A_new_volume_is_made_and_opened()
    {
        using RunningDaemon daemon = new();
        string image = Path.Combine(daemon.Folder, "image"), keyFile = Path.Combine(daemon.Folder, "key");
        File.WriteAllText(keyFile, "secret");
        using (FileStream file = File.Create(image))
        {
            file.SetLength(20 << 20);
        }

        string[] fast = ["--pbkdf", "pbkdf2", "--iterations", "1000", "--key-file", keyFile];
        string uuid = "12345678-1234-1234-1234-123456789abc";
        daemon.UdmOk(["luks", "format", image, .. fast, "--uuid", uuid, "--label", "name"]);
        Assert.Contains($"uuid\t{uuid}\nlabel\tname\ncipher\taes-xts-plain64\nsector size\t4096\n", daemon.UdmOk("luks", "dump", image));
        daemon.UdmOk("luks", "open", image, "m", "--key-file", keyFile);
        daemon.UdmOk("luks", "close", "m");

        Assert.Contains("is not blank", daemon.Udm(["luks", "format", image, .. fast]).Error);
        daemon.UdmOk(["luks", "format", image, .. fast, "--type", "luks1", "--force"]);
        Assert.Contains("version\t1\n", daemon.UdmOk("luks", "dump", image));
        Assert.Equal(2, daemon.Udm(["luks", "format", image, .. fast, "--type", "luks3"]).Status);
        File.WriteAllText(keyFile, "");
        Assert.Contains("an empty passphrase", daemon.Udm(["luks", "format", image, .. fast, "--force"]).Error);
    }
}
