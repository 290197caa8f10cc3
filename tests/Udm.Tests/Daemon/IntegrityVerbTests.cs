namespace Udm.Tests.Daemon;

/// <summary>The verb <c>integrity</c>. Volumes of integritysetup are in <see cref="Run.CryptsetupTests"/>.</summary>
public sealed class IntegrityVerbTests
{
    [Fact]
    public void A_volume_is_made_opened_and_closed_and_a_changed_block_is_found()
    {
        using RunningDaemon daemon = new();
        string image = MakeImage(daemon);
        daemon.UdmOk("integrity", "format", image, "--integrity", "sha256");
        Assert.StartsWith("version\t5\ntag size\t32\nsector size\t512\n", daemon.UdmOk("integrity", "dump", image));
        Assert.Contains("\"features\":[\"fix_padding\",\"fix_hmac\"]}", daemon.UdmOk("integrity", "dump", image, "--json"));
        daemon.UdmOk("integrity", "open", image, "v", "--integrity", "sha256", "-D");
        Assert.Matches("^0 [0-9]+ integrity .*/image 0 32 D .*internal_hash:sha256\n$", daemon.UdmOk("table", "v"));
        Assert.Contains("CRYPT-INTEGRITY-v", daemon.UdmOk("info", "v"));
        Assert.Contains("(Device or resource busy)", daemon.Udm("integrity", "format", image, "--force").Error);
        byte[] all = File.ReadAllBytes(daemon.FileOf("v"));
        Assert.False(all.AsSpan().ContainsAnyExcept((byte)0));
        daemon.UdmOk("integrity", "close", "v");

        using (FileStream stream = File.OpenWrite(image))
        {
            stream.Position = stream.Length - 4096;
            stream.WriteByte(1); // in the last blocks of data
        }

        daemon.UdmOk("integrity", "open", image, "v", "--integrity", "sha256");
        Assert.Throws<IOException>(() => File.ReadAllBytes(daemon.FileOf("v")));
        daemon.UdmOk("integrity", "close", "v");
    }

    [Fact]
    public void What_is_there_stays_where_it_is_not_wiped_and_has_tags_by_recalculation()
    {
        using RunningDaemon daemon = new();
        string image = MakeImage(daemon), data = Path.Combine(daemon.Folder, "data");
        byte[] bytes = new byte[1 << 20];
        new Random(5).NextBytes(bytes);
        File.WriteAllBytes(data, bytes);
        daemon.UdmOk("integrity", "format", image, "--data-device", data, "--no-wipe", "--tag-size", "2");
        Assert.Equal(bytes, File.ReadAllBytes(data));
        Assert.Contains("has to be named", daemon.Udm("integrity", "open", image, "v").Error);
        daemon.UdmOk("integrity", "open", image, "v", "--data-device", data, "--integrity-recalculate");
        Assert.True(SpinWait.SpinUntil(() => daemon.UdmOk("status", "v").EndsWith(" 2048 2048\n"), TimeSpan.FromSeconds(60)), daemon.UdmOk("status", "v"));
        Assert.Equal(bytes, File.ReadAllBytes(daemon.FileOf("v")));
    }

    [Fact]
    public void What_cannot_be_is_refused_in_a_sentence_and_changes_nothing()
    {
        using RunningDaemon daemon = new();
        string image = MakeImage(daemon), key = Path.Combine(daemon.Folder, "key");
        File.WriteAllBytes(key, [1, 2, 3, 4]);
        foreach ((string[] words, string sentence) in new (string[], string)[]
        {
            (["--integrity", "sha257"], "there is no hash 'sha257'"),
            (["--integrity", "hmac-sha256"], "the hash 'hmac-sha256' needs a key"),
            (["--tag-size", "300"], "a tag has 1 to 255 bytes, not 300"),
            (["--sector-size", "8192"], "not 8192"),
            (["--journal-size", "100000000"], "is too small for"),
            (["--journal-crypt", "nocipher"], "journal_crypt"),
            (["--data-device", image], "have to be on two devices"),
            (["--integrity-key-size", "8"], "--integrity-key-size needs --integrity-key-file"),
            (["--integrity-key-file", key, "--integrity-key-size", "8"], "has 4 bytes, and 8 are expected"),
        })
        {
            (int status, _, string error) = daemon.Udm(["integrity", "format", image, .. words]);
            Assert.True(status != 0 && error.Contains(sentence), error);
        }

        Assert.False(File.ReadAllBytes(image).AsSpan().ContainsAnyExcept((byte)0));
        Assert.Contains("there is no superblock of integrity", daemon.Udm("integrity", "open", image, "v").Error);
        daemon.UdmOk("integrity", "format", image);
        Assert.Contains("is not blank", daemon.Udm("integrity", "format", image).Error);
        foreach (int at in new[] { 8, 9, 24, 28 }) // version, interleave, flags, size of blocks
        {
            using FileStream stream = new(image, FileMode.Open);
            stream.Position = at;
            int before = stream.ReadByte();
            stream.Position = at;
            stream.WriteByte(200);
            stream.Flush();
            Assert.Equal(1, daemon.Udm("integrity", "open", image, "v").Status);
            Assert.Equal("No devices found\n", daemon.UdmOk("ls"));
            stream.Position = at;
            stream.WriteByte((byte)before);
        }

        Assert.Equal(2, daemon.Udm("integrity", "open", image, "v", "-B", "-D").Status);
        daemon.UdmOk("integrity", "open", image, "v");
        daemon.UdmOk("create", "z", "--table", "0 8 zero");
        Assert.Contains("it is no integrity volume", daemon.Udm("integrity", "close", "z").Error);
    }

    private static string MakeImage(RunningDaemon daemon)
    {
        string image = Path.Combine(daemon.Folder, "image");
        using FileStream file = File.Create(image);
        file.SetLength(8 << 20);
        return image;
    }
}
