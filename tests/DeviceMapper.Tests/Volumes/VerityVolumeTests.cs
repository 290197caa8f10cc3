using System.Diagnostics;
using DeviceMapper.Volumes.Verity;

namespace DeviceMapper.Tests.Volumes;

/// <summary>Volumes of verity: their bytes are those of veritysetup.</summary>
public sealed class VerityVolumeTests : IDisposable
{
    private const string Uuid = "12345678-1234-1234-1234-123456789abc";
    private const int DataBlocks = 1100;

    private readonly string _folder = Directory.CreateTempSubdirectory("udm-verity").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static readonly Dictionary<string, VerityFormat> _formats = new()
    {
        [""] = new(),
        ["--format=0"] = new() { HashType = 0 },
        ["--hash=sha512 --data-block-size=512 --hash-block-size=1024"] = new() { Algorithm = "sha512", DataBlockSize = 512, HashBlockSize = 1024 },
        ["--hash=sha1 --data-block-size=1024 --hash-block-size=512"] = new() { Algorithm = "sha1", DataBlockSize = 1024, HashBlockSize = 512 },
        ["--data-blocks=1"] = new() { DataBlocks = 1 },
        ["--data-blocks=129 --salt=-"] = new() { DataBlocks = 129, Salt = [] },
        ["--no-superblock --hash-offset=8192"] = new() { HasSuperblock = false, HashOffset = 8192 },
        ["--hash-offset=1536"] = new() { HashOffset = 1536 },
        ["--fec-device=PARITY"] = new() { ParityDevice = "PARITY" },
        ["--fec-device=PARITY --fec-roots=24 --fec-offset=4096"] = new() { ParityDevice = "PARITY", ParityRoots = 24, ParityOffset = 4096 },
        ["--fec-device=HASH --fec-offset=1048576 --fec-roots=7"] = new() { ParityDevice = "HASH", ParityOffset = 1 << 20, ParityRoots = 7 },
        ["--hash-offset=8388608 --data-blocks=1100 HASH=DATA"] = new() { HashOffset = 8 << 20, DataBlocks = 1100 },
    };

    public static TheoryData<string> Formats => [.. _formats.Keys];

    [Theory, MemberData(nameof(Formats))]
    public void Hash_device_and_parity_are_those_of_veritysetup(string options)
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/veritysetup"), "needs veritysetup (cryptsetup-bin)");
        byte[] data = MakeData(DataBlocks);
        VerityFormat format = _formats[options];
        bool sameDevice = options.EndsWith(" HASH=DATA");
        string[] words = options.Replace(" HASH=DATA", "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        words = words.Any(word => word.StartsWith("--salt")) ? words : [.. words, "--salt=0102030405"];
        (string root, Dictionary<string, byte[]> theirs) = Sides("theirs", data, format, folder =>
        {
            string output = Run("/usr/sbin/veritysetup", [
                "format", Path.Combine(folder, "DATA"), Path.Combine(folder, sameDevice ? "DATA" : "HASH"), $"--uuid={Uuid}",
                .. words.Select(word => word.Replace("=PARITY", $"={folder}/PARITY").Replace("=HASH", $"={folder}/HASH"))]);
            return output.Split('\n').First(line => line.StartsWith("Root hash:"))[10..].Trim();
        });
        (string ourRoot, Dictionary<string, byte[]> ours) = Sides("ours", data, format, folder =>
        {
            VerityFormat given = format with
            {
                Uuid = Guid.Parse(Uuid),
                Salt = format.Salt ?? [1, 2, 3, 4, 5],
                ParityDevice = format.ParityDevice is null ? null : Path.Combine(folder, format.ParityDevice),
            };
            string hash = Path.Combine(folder, sameDevice ? "DATA" : "HASH");
            VerityVolume made = VerityVolume.Format(Path.Combine(folder, "DATA"), hash, given);
            VerityVolume opened = VerityVolume.Open(Path.Combine(folder, "DATA"), hash, made.RootHash, given);
            Assert.Null(opened.FindCorruption());
            Assert.Contains(" verity ", opened.TableLine().ToString());
            return Convert.ToHexStringLower(made.RootHash);
        });
        Assert.Equal(root, ourRoot);
        Assert.Equal(theirs.Keys.Order(), ours.Keys.Order());
        foreach ((string name, byte[] bytes) in theirs)
        {
            Assert.True(bytes.AsSpan().SequenceEqual(ours[name]), $"{name}: {bytes.Length} and {ours[name].Length} bytes, the first that differs is {bytes.AsSpan().CommonPrefixLength(ours[name])}");
        }
    }

    [Fact]
    public void A_changed_byte_is_found_wherever_it_is()
    {
        (string data, string hash, byte[] root) = MakeVolume();
        foreach ((string file, long at, string sentence) in new[]
        {
            (data, 4096L * 700, "block 700 of the data is corrupt"),
            (hash, 4096L * 2, "block 2 of the hash device is corrupt"),
            (hash, 4096L, "block 1 of the hash device is corrupt, or the root hash is of another device"),
        })
        {
            Flip(file, at);
            Assert.Equal(sentence, VerityVolume.Open(data, hash, root).FindCorruption());
            Flip(file, at);
        }

        Assert.Null(VerityVolume.Open(data, hash, root).FindCorruption());
    }

    [Fact]
    public void What_cannot_be_is_refused_and_nothing_is_written()
    {
        (string data, string hash, byte[] root) = MakeVolume();
        byte[] wrong = [.. root];
        wrong[3] ^= 1;
        Assert.Contains("the root hash is not that of", Refused(() => VerityVolume.Open(data, hash, wrong).TableLine()));
        Assert.Contains("the root hash has 3 bytes", Refused(() => VerityVolume.Open(data, hash, [1, 2, 3])));
        Assert.Contains("there is no superblock of verity", Refused(() => VerityVolume.Open(data, data, root)));
        Assert.Contains("the salt has to be given", Refused(() => VerityVolume.Open(data, hash, root, new VerityFormat { HasSuperblock = false })));
        using (FileStream cut = new(data, FileMode.Open))
        {
            cut.SetLength((DataBlocks * 4096) - 1);
        }

        Assert.Contains("it was cut off", Refused(() => VerityVolume.Open(data, hash, root).TableLine()));

        byte[] before = File.ReadAllBytes(data);
        string other = Path.Combine(_folder, "other");
        Assert.Contains("is not blank", Refused(() => VerityVolume.Format(hash, data)));
        Assert.Contains("would overwrite the data", Refused(() => VerityVolume.Format(data, data)));
        Assert.Contains("would overwrite what it is of", Refused(() => VerityVolume.Format(data, other, new() { ParityDevice = data })));
        Assert.Contains("there is no hash", Refused(() => VerityVolume.Format(data, other, new() { Algorithm = "sha257" })));
        Assert.Contains("of the volume", Refused(() => VerityVolume.Format(data, other, new() { DataBlocks = 5000 })));
        Assert.Contains("2 to 24", Refused(() => VerityVolume.Format(data, other, new() { ParityDevice = other, ParityRoots = 25 })));
        Assert.Contains("is not a multiple", Refused(() => VerityVolume.Format(data, other, new() { HashOffset = 5 })));
        Assert.False(File.Exists(other));
        Assert.Equal(before, File.ReadAllBytes(data));
        Assert.NotEqual(root, VerityVolume.Format(data, hash, new() { DataBlocks = 3 }).RootHash); // an older tree may be overwritten
    }

    /// <summary>With any bit of the superblock changed, it is refused, or the volume is found corrupt, or has fewer blocks; but for what is not of the hashes.</summary>
    [Fact]
    public void No_changed_bit_of_a_superblock_does_harm()
    {
        (string data, string hash, byte[] root) = MakeVolume(300);
        byte[] whole = File.ReadAllBytes(hash);
        for (int bit = 0; bit < (88 + 32) * 8; bit++)
        {
            Flip(hash, bit / 8, 1 << (bit % 8));
            int at = bit / 8;
            try
            {
                VerityVolume volume = VerityVolume.Open(data, hash, root);
                bool isUnused = at is (>= 16 and < 32) or (> 32 + 6 and < 64) or (>= 82 and < 88);
                Assert.True(isUnused || volume.Superblock.DataBlocks < 300 || volume.FindCorruption() is not null, $"bit {bit} makes no difference");
            }
            catch (DmException e)
            {
                Assert.NotEmpty(e.Message);
            }

            Flip(hash, bit / 8, 1 << (bit % 8));
        }

        Assert.Equal(whole, File.ReadAllBytes(hash));
    }

    private static string Refused(Action action) => Assert.Throws<DmException>(action).Message;

    private static void Flip(string file, long at, int bits = 1)
    {
        using FileStream stream = new(file, FileMode.Open, FileAccess.ReadWrite);
        stream.Position = at;
        int b = stream.ReadByte();
        stream.Position = at;
        stream.WriteByte((byte)(b ^ bits));
    }

    private static byte[] MakeData(int blocks)
    {
        byte[] data = new byte[blocks * 4096];
        new Random(9).NextBytes(data);
        return data;
    }

    private static string Run(string program, string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output;
    }

    private (string Data, string Hash, byte[] Root) MakeVolume(int blocks = DataBlocks)
    {
        string data = Path.Combine(_folder, "data"), hash = Path.Combine(_folder, "hash");
        File.WriteAllBytes(data, MakeData(blocks));
        VerityVolume volume = VerityVolume.Format(data, hash);
        return (data, hash, volume.RootHash);
    }

    /// <summary>What is in a folder with data after it was worked on, and what the work returned.</summary>
    private (string Root, Dictionary<string, byte[]> Files) Sides(string name, byte[] data, VerityFormat format, Func<string, string> work)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;
        File.WriteAllBytes(Path.Combine(folder, "DATA"), data);
        if (format.ParityDevice == "HASH")
        {
            File.WriteAllBytes(Path.Combine(folder, "HASH"), new byte[2 << 20]); // veritysetup reads it up to the parity
        }

        string root = work(folder);
        return (root, Directory.GetFiles(folder).ToDictionary(path => Path.GetFileName(path), File.ReadAllBytes));
    }
}
