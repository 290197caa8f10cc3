using System.Diagnostics;

namespace Udm.Tests.Daemon;

/// <summary>The verb <c>verity</c>.</summary>
public sealed class VerityVerbTests
{
    [Fact]
    public void A_volume_is_made_checked_opened_and_closed()
    {
        using RunningDaemon daemon = new();
        (string data, string hash, string root) = MakeFiles(daemon);
        string output = daemon.UdmOk("verity", "format", data, hash, "--root-hash-file", root, "--salt", "0102", "--uuid", "12345678-1234-1234-1234-123456789abc");
        string rootHash = File.ReadAllText(root);
        Assert.Equal(
            $"uuid\t12345678-1234-1234-1234-123456789abc\nhash type\t1\ndata blocks\t512\ndata block size\t4096\nhash blocks\t5\nhash block size\t4096\nhash algorithm\tsha256\nsalt\t0102\nroot hash\t{rootHash}\n",
            output);
        Assert.Contains("\"data_blocks\":512,", daemon.UdmOk("verity", "dump", hash, "--json"));
        Assert.Equal("", daemon.UdmOk("verity", "verify", data, hash, rootHash));
        daemon.UdmOk("verity", "open", data, "v", hash, "--root-hash-file", root, "--check-at-most-once");
        Assert.Matches("^0 4096 verity 1 .*/data .*/hash 4096 4096 512 1 sha256 [0-9a-f]{64} 0102 1 check_at_most_once\n$", daemon.UdmOk("table", "v"));
        Assert.Matches("CRYPT-VERITY-12345678123412341234123456789abc-v", daemon.UdmOk("info", "v"));
        Assert.Contains("(Device or resource busy)", daemon.Udm("verity", "format", data, hash).Error);
        daemon.UdmOk("verity", "close", "v");

        using (FileStream stream = File.OpenWrite(data))
        {
            stream.Position = 4096 * 300;
            stream.WriteByte(1);
        }

        Assert.Equal((1, "", $"udm: verity {data}: block 300 of the data is corrupt\n"), daemon.Udm("verity", "verify", data, hash, rootHash));
    }

    [Fact]
    public void What_cannot_be_is_refused_in_a_sentence_and_makes_no_device()
    {
        using RunningDaemon daemon = new();
        (string data, string hash, string root) = MakeFiles(daemon);
        daemon.UdmOk("verity", "format", data, hash, "--root-hash-file", root);
        string rootHash = File.ReadAllText(root), wrong = new('0', 64);
        Assert.Contains($"udm: verity v: the root hash is not that of '{hash}'", daemon.Udm("verity", "open", data, "v", hash, wrong).Error);
        Assert.Contains("is not of pairs of hexadecimal digits", daemon.Udm("verity", "open", data, "v", hash, "xy").Error);
        Assert.Contains("the root hash has 1 bytes", daemon.Udm("verity", "open", data, "v", hash, "00").Error);
        Assert.Contains("there is no superblock", daemon.Udm("verity", "open", data, "v", data, rootHash).Error);
        Assert.Contains("is not blank", daemon.Udm("verity", "format", hash, data).Error);
        Assert.Contains("there is no hash 'nohash'", daemon.Udm("verity", "format", data, hash, "--hash", "nohash").Error);
        Assert.Equal(2, daemon.Udm("verity", "open", data, "v", hash).Status);
        Assert.Equal(2, daemon.Udm("verity", "open", data, "v", hash, rootHash, "--root-hash-file", root).Status);
        Assert.Equal(2, daemon.Udm("verity", "format", data, hash, "--data-blocks", "x").Status);
        Assert.Equal("No devices found\n", daemon.UdmOk("ls"));
        Assert.Equal("", daemon.UdmOk("verity", "verify", data, hash, rootHash));
        daemon.UdmOk("create", "z", "--table", "0 8 zero");
        Assert.Contains("it is no verity volume", daemon.Udm("verity", "close", "z").Error);
    }

    /// <summary>What veritysetup formatted, with parity, opens, and is repaired.</summary>
    [Fact]
    public void A_corrupt_block_is_repaired_by_the_parity_of_veritysetup()
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/veritysetup"), "needs veritysetup (cryptsetup-bin)");
        using RunningDaemon daemon = new();
        (string data, string hash, string root) = MakeFiles(daemon);
        string parity = Path.Combine(daemon.Folder, "parity");
        byte[] before = File.ReadAllBytes(data);
        using (Process format = Process.Start("/usr/sbin/veritysetup", ["format", data, hash, $"--root-hash-file={root}", $"--fec-device={parity}"]))
        {
            format.WaitForExit();
            Assert.Equal(0, format.ExitCode);
        }

        using (FileStream stream = File.OpenWrite(data))
        {
            stream.Position = 4096 * 300;
            stream.Write(new byte[4096]);
        }

        daemon.UdmOk("verity", "open", data, "v", hash, "--root-hash-file", root, "--fec-device", parity);
        Assert.Equal(before, File.ReadAllBytes(Path.Combine(daemon.Folder, "mapper", "v")));
        daemon.UdmOk("verity", "close", "v");
    }

    [Fact]
    public void A_volume_opens_only_with_a_signature_of_its_root_hash_where_one_is_given()
    {
        string folder = Directory.CreateTempSubdirectory("udm-daemon").FullName;
        string certificate = $"{folder}/cert.pem", key = $"{folder}/key.pem";
        OpenSsl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-subj", "/CN=signer");
        using RunningDaemon daemon = new(folder, "--verity-certificates", certificate);
        (string data, string hash, string root) = MakeFiles(daemon);
        string signature = $"{folder}/signature";
        daemon.UdmOk("verity", "format", data, hash, "--root-hash-file", root);
        OpenSsl("smime", "-sign", "-nocerts", "-noattr", "-binary", "-in", root, "-inkey", key, "-signer", certificate, "-outform", "der", "-out", signature);
        string[] open = ["verity", "open", data, "v", hash, "--root-hash-file", root, "--root-hash-signature"];
        daemon.UdmOk([.. open, signature]);
        string table = daemon.UdmOk("table", "v");
        Assert.Matches(" 2 root_hash_sig_key_desc verity:[0-9a-f-]{36}\n$", table);
        Assert.Equal(File.ReadAllBytes(data), File.ReadAllBytes(daemon.FileOf("v")));
        Assert.Contains("is no key", daemon.Udm("load", "v", "--readonly", "--table", table.Trim()).Error); // forgotten after the call that it was given for
        daemon.UdmOk("verity", "close", "v");

        OpenSsl("smime", "-sign", "-nocerts", "-noattr", "-binary", "-in", data, "-inkey", key, "-signer", certificate, "-outform", "der", "-out", signature);
        Assert.Matches(
            "^udm: verity v: verity: argument 13 \\(signature\\): 'verity:[0-9a-f-]{36}' is a signature of something else, or damaged \\(Key was rejected by service\\)\n",
            daemon.Udm([.. open, signature]).Error);
        Assert.Contains("is no signature", daemon.Udm([.. open, root]).Error);
        Assert.Contains("it is empty", daemon.Udm([.. open, "/dev/null"]).Error);
        Assert.Contains("more than 32767 bytes", daemon.Udm([.. open, data]).Error);
        Assert.Contains($"{folder}/nosuch", daemon.Udm([.. open, $"{folder}/nosuch"]).Error);
        Assert.Equal("No devices found\n", daemon.UdmOk("ls"));
    }

    [Fact]
    public void A_daemon_does_not_start_without_the_certificates_that_it_is_told_of()
    {
        using RunningDaemon daemon = new();
        string other = Directory.CreateDirectory($"{daemon.Folder}/other").FullName, file = $"{other}/cert.pem";
        string[] start = ["daemon", "--run", other, "--verity-certificates", file];
        (int status, _, string error) = daemon.Udm(start);
        Assert.Equal(1, status);
        Assert.Contains($"--verity-certificates: Could not find file '{file}'", error);
        File.WriteAllText(file, "none");
        Assert.Contains($"--verity-certificates: '{file}' has no certificate in PEM", daemon.Udm(start).Error);
        File.WriteAllText(file, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        Assert.Contains($"--verity-certificates: '{file}' has a certificate that is damaged", daemon.Udm(start).Error);
    }

    private static void OpenSsl(params string[] words)
    {
        ProcessStartInfo start = new("openssl", words) { RedirectStandardError = true };
        using Process openssl = Process.Start(start)!;
        string error = openssl.StandardError.ReadToEnd();
        openssl.WaitForExit();
        Assert.True(openssl.ExitCode == 0, error);
    }

    /// <summary>2 MiB of data, and paths for the tree and the root hash.</summary>
    private static (string Data, string Hash, string Root) MakeFiles(RunningDaemon daemon)
    {
        string data = Path.Combine(daemon.Folder, "data");
        byte[] bytes = new byte[2 << 20];
        new Random(4).NextBytes(bytes);
        File.WriteAllBytes(data, bytes);
        return (data, Path.Combine(daemon.Folder, "hash"), Path.Combine(daemon.Folder, "root"));
    }
}
