using System.Diagnostics;

namespace Udm.Tests.Daemon;

/// <summary>The verb <c>luks</c>, with volumes that cryptsetup formatted.</summary>
public sealed class LuksVerbTests
{
    [Fact]
    public void A_volume_is_opened_and_closed_and_its_header_is_shown()
    {
        using RunningDaemon daemon = new();
        (string image, string keyFile) = MakeFiles(daemon);
        Assert.SkipUnless(File.Exists("/usr/sbin/cryptsetup"), "needs cryptsetup (cryptsetup-bin)");
        string[] options = ["-q", "--type", "luks2", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", "--key-file", keyFile];
        using (Process format = Process.Start("/usr/sbin/cryptsetup", ["luksFormat", .. options, image]))
        {
            format.WaitForExit();
            Assert.Equal(0, format.ExitCode);
        }

        Assert.Contains("cipher\taes-xts-plain64\n", daemon.UdmOk("luks", "dump", image));
        daemon.UdmOk("luks", "open", image, "m", "--key-file", keyFile, "--allow-discards");
        Assert.Matches("^0 8192 crypt aes-xts-plain64 :64:logon:cryptsetup:[0-9a-f-]+-d0 0 .*/image 32768 .*allow_discards", daemon.UdmOk("table", "m"));
        Assert.Matches("CRYPT-LUKS2-[0-9a-f]{32}-m", daemon.UdmOk("info", "m"));
        daemon.UdmOk("luks", "close", "m");

        File.WriteAllText(keyFile, "another");
        (int status, _, string error) = daemon.Udm("luks", "open", image, "m", "--key-file", keyFile);
        Assert.Equal((1, $"udm: luks {image}: no keyslot has this passphrase (Operation not permitted)\n"), (status, error));
        Assert.DoesNotContain("m\t", daemon.UdmOk("ls"));

        daemon.UdmOk("create", "z", "--table", "0 8 zero");
        Assert.Contains("it is no LUKS volume", daemon.Udm("luks", "close", "z").Error);
        Assert.Equal(2, daemon.Udm("luks", "open", image).Status);
    }

    [Fact]
    public void A_new_volume_is_made_and_opened()
    {
        using RunningDaemon daemon = new();
        (string image, string keyFile) = MakeFiles(daemon);
        string sentence = "there is no LUKS header: it was never formatted, is another kind of device, or its header is gone or damaged (Invalid argument)";
        Assert.Equal((1, "", $"udm: luks {image}: {sentence}\n"), daemon.Udm("luks", "open", image, "m", "--key-file", keyFile));
        string[] fast = ["--pbkdf", "pbkdf2", "--iterations", "1000", "--key-file", keyFile];
        string uuid = "12345678-1234-1234-1234-123456789abc";
        daemon.UdmOk(["luks", "format", image, .. fast, "--uuid", uuid, "--label", "name"]);
        Assert.Contains($"uuid\t{uuid}\nlabel\tname\ncipher\taes-xts-plain64\nsector size\t4096\n", daemon.UdmOk("luks", "dump", image));
        daemon.UdmOk("luks", "open", image, "m", "--key-file", keyFile);
        Assert.Contains("(Device or resource busy)", daemon.Udm(["luks", "format", image, .. fast, "--force"]).Error);
        daemon.UdmOk("luks", "close", "m");
        Assert.Contains($"uuid\t{uuid}\n", daemon.UdmOk("luks", "dump", image));

        Assert.Contains("is not blank", daemon.Udm(["luks", "format", image, .. fast]).Error);
        daemon.UdmOk(["luks", "format", image, .. fast, "--type", "luks1", "--force"]);
        Assert.Contains("version\t1\n", daemon.UdmOk("luks", "dump", image));
        Assert.Equal(2, daemon.Udm(["luks", "format", image, .. fast, "--type", "luks3"]).Status);
        File.WriteAllText(keyFile, "");
        Assert.Contains("4294967295 is more than there can be", daemon.Udm(["luks", "format", image, "--iterations", "4294967295"]).Error);
        Assert.Contains("an empty passphrase", daemon.Udm(["luks", "format", image, .. fast, "--force"]).Error);
    }

    [Fact]
    public void Of_a_volume_with_integrity_both_devices_are_made_and_removed_or_none()
    {
        using RunningDaemon daemon = new();
        (string image, string keyFile) = MakeFiles(daemon);
        daemon.UdmOk("luks", "format", image, "--pbkdf", "pbkdf2", "--iterations", "1000", "--key-file", keyFile, "--integrity", "hmac-sha256");
        Assert.Contains("\nintegrity\thmac(sha256)\n", daemon.UdmOk("luks", "dump", image));
        string[] open = ["luks", "open", image, "m", "--key-file", keyFile];
        daemon.UdmOk(open);
        Assert.Matches("integrity .* 32768 32 J ", daemon.UdmOk("table", "m_dif"));
        Assert.Matches("CRYPT-INTEGRITY-[0-9a-f]{32}-m_dif", daemon.UdmOk("info", "m_dif"));
        daemon.UdmOk("rename", "m", "renamed");
        daemon.UdmOk("luks", "close", "renamed");
        Assert.Equal("No devices found\n", daemon.UdmOk("ls"));

        Assert.Contains("it passes no discards on", daemon.Udm([.. open, "--allow-discards"]).Error);
        Assert.Equal("No devices found\n", daemon.UdmOk("ls"));
        daemon.UdmOk("create", "m", "--table", "0 8 zero");
        Assert.Contains("(Device or resource busy)", daemon.Udm(open).Error);
        Assert.DoesNotContain("m_dif", daemon.UdmOk("ls"));
    }

    // Arguments: keys to be typed at each prompt, the program. Prints what the terminal showed, the exit status, and whether its modes are what they were.
    private const string Terminal =
        """
        import fcntl, os, pty, subprocess, sys, termios
        control, terminal = pty.openpty()
        before = termios.tcgetattr(terminal)
        child = subprocess.Popen(sys.argv[2:], stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
                                 preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        shown = b''
        for keys in sys.argv[1].split('|'):
            prompts = shown.count(b': ')
            while shown.count(b': ') == prompts: shown += os.read(control, 4096)
            os.write(control, keys.encode())
        status = child.wait()
        same = termios.tcgetattr(terminal) == before
        os.close(terminal)
        try:
            while True: shown += os.read(control, 4096)
        except OSError: pass
        sys.stdout.write(f"{shown.decode()}{status}\n{same}\n")
        """;

    /// <summary>What is typed is not shown, can be taken back, and has to be the same twice; the terminal is left as it was.</summary>
    [Theory]
    [InlineData("one\n|two\n", "New passphrase of IMAGE: \nThe same again: \nudm: luks IMAGE: the passphrases differ\n1\nTrue\n")]
    [InlineData("secreX\u007ft\n|secret\n", "New passphrase of IMAGE: \nThe same again: \n0\nTrue\n")]
    [InlineData("sec\u0003", "New passphrase of IMAGE: -2\nTrue\n")]
    public async Task A_terminal_shows_nothing_of_a_passphrase(string keys, string expected)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/python3"), "needs python3");
        using RunningDaemon daemon = new();
        (string image, string keyFile) = MakeFiles(daemon);
        string udm = Path.Combine(AppContext.BaseDirectory, "udm");
        ProcessStartInfo start = new("/usr/bin/python3", ["-c", Terminal, keys, udm, "luks", "format", image, "--pbkdf", "pbkdf2", "--iterations", "1000"])
        {
            RedirectStandardOutput = true,
            Environment = { ["TERM"] = "dumb" }, // else the runtime sets the terminal's keys up, by what it prints
        };
        using Process python = Process.Start(start)!;
        Task<string> output = python.StandardOutput.ReadToEndAsync();
        if (!python.WaitForExit(180_000))
        {
            python.Kill(entireProcessTree: true);
            Assert.Fail("it did not end");
        }

        Assert.Equal(expected, (await output).Replace("\r", "").Replace(image, "IMAGE"));
        if (expected.Contains("\n0\n"))
        {
            daemon.UdmOk("luks", "open", image, "m", "--key-file", keyFile);
        }
    }

    /// <summary>A blank image of 20 MiB, and a key file.</summary>
    private static (string Image, string KeyFile) MakeFiles(RunningDaemon daemon)
    {
        string image = Path.Combine(daemon.Folder, "image"), keyFile = Path.Combine(daemon.Folder, "key");
        File.WriteAllText(keyFile, "secret");
        using FileStream file = File.Create(image);
        file.SetLength(20 << 20);
        return (image, keyFile);
    }
}
