using DeviceMapper.Metadata;
using DeviceMapper.Native;
using DeviceMapper.Targets.Thin;
using DeviceMapper.Tests.Backends;
using DeviceMapper.Tests.Infrastructure;
using DeviceMapper.Volumes.Thin;

namespace DeviceMapper.Tests.Volumes;

/// <summary>Metadata of pools that are not in use: checked, dumped, repaired.</summary>
public sealed class ThinPoolMetadataTests : IDisposable
{
    private const ulong Blocks = 512;

    private readonly string _folder = Directory.CreateTempSubdirectory("udm-thin").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void Sound_metadata_has_no_damage_and_dumps_as_thin_dump_does(int seed)
    {
        string file = Write(Make(seed));
        Assert.Empty(Check(file));
        Assert.Equal(Lines(ChildProcess.RunThinTool("thin_dump", file)), Lines(Dump(file)));
    }

    [Fact]
    public void A_dump_is_what_thin_restore_takes()
    {
        string file = Write(Make(4)), xml = Path.Combine(_folder, "xml"), restored = Write(new byte[Blocks * BlockKind.Size], "restored");
        File.WriteAllText(xml, Dump(file));
        ChildProcess.RunThinTool("thin_restore", "-i", xml, "-o", restored);
        Assert.Equal(Dump(file), Dump(restored));
        Assert.Empty(Check(restored));
    }

    [Theory, InlineData(5)]
    public void Damage_of_any_block_is_named_or_does_no_harm_and_a_repair_is_sound(int seed)
    {
        byte[] sound = Make(seed);
        string whole = Dump(Write(sound));
        int damaged = 0;
        for (int block = 1; block < (int)Blocks; block++)
        {
            if (sound.AsSpan(block * BlockKind.Size, BlockKind.Size).IndexOfAnyExcept((byte)0) < 0)
            {
                continue;
            }

            byte[] data = [.. sound];
            data[(block * BlockKind.Size) + 100] ^= 0x40;
            string file = Write(data), repaired = Path.Combine(_folder, $"repaired{block}");
            IReadOnlyList<string> damage = Check(file);
            using (ThinPoolMetadata metadata = ThinPoolMetadata.Open(file))
            {
                metadata.Repair(repaired);
                Assert.True(metadata.Damage.Count == 0 || damage.Count > 0, $"block {block}");
                if (metadata.Damage.Count == 0)
                {
                    Assert.Equal(whole, Dump(repaired)); // it was part of a space map, or free
                }
            }

            Assert.True(damage.Count == 0 || damage[0].Contains($"metadata block {block} "), $"block {block}: {damage.FirstOrDefault()}");
            Assert.Empty(Check(repaired));
            damaged += damage.Count > 0 ? 1 : 0;
            File.Delete(repaired);
        }

        Assert.True(damaged > 10, $"{damaged}");
    }

    [Fact]
    public void A_damaged_superblock_is_refused()
    {
        byte[] data = Make(6);
        data[50] ^= 1;
        DmException refusal = Assert.Throws<DmException>(() => ThinPoolMetadata.Open(Write(data)));
        Assert.Equal(Errno.EILSEQ, refusal.Errno);
        Assert.Contains("wrong checksum", refusal.Message);
        Assert.Equal(Errno.ENOENT, Assert.Throws<DmException>(() => ThinPoolMetadata.Open(Path.Combine(_folder, "nosuch"))).Errno);
    }

    [Fact]
    public void Only_a_new_file_is_repaired_to()
    {
        string file = Write(Make(7)), there = Write([1], "there");
        using ThinPoolMetadata metadata = ThinPoolMetadata.Open(file);
        Assert.Equal(Errno.EEXIST, Assert.Throws<DmException>(() => metadata.Repair(there)).Errno);
        Assert.Equal([1], File.ReadAllBytes(there));
    }

    [Fact]
    public void The_mark_is_taken_away_and_nothing_else_is_changed()
    {
        byte[] sound = Make(8);
        FakeDevice device = new("m", Blocks * 8);
        sound.CopyTo(device.Data, 0);
        using (ClaimedDevice open = new(device))
        {
            new ThinMetadata(open.Device, 128, () => { }).SetNeedsCheck();
        }

        string file = Write(device.Data);
        using (ThinPoolMetadata metadata = ThinPoolMetadata.Open(file))
        {
            Assert.True(metadata.NeedsCheck);
            metadata.ClearNeedsCheck();
        }

        Assert.Equal(sound, File.ReadAllBytes(file));
    }

    /// <summary>Volumes, snapshots and a metadata snapshot, by random work over many transactions.</summary>
    private static byte[] Make(int seed)
    {
        Random random = new(seed);
        FakeDevice device = new("m", Blocks * 8);
        using ClaimedDevice open = new(device);
        ThinMetadata metadata = new(open.Device, 128, () => { });
        metadata.ExtendData(3000);
        metadata.CreateVolume(0);
        for (ulong i = 1; i <= 4; i++)
        {
            ThinMetadata.Volume volume = metadata.OpenVolume((ulong)random.Next((int)i));
            for (int j = 0; j < 300; j++)
            {
                ulong block = (ulong)random.Next(800);
                if (random.Next(5) == 0)
                {
                    metadata.Unmap(volume, block);
                }
                else
                {
                    metadata.Map(volume, block, metadata.AllocateData());
                }
            }

            metadata.CloseVolume(volume);
            metadata.Commit();
            metadata.CreateSnapshot(i, (ulong)random.Next((int)i));
            if (i == 2)
            {
                metadata.ReserveSnapshot();
            }
        }

        metadata.DeleteVolume(1);
        metadata.TransactionId = 7;
        metadata.Commit();
        return [.. device.Data];
    }

    private static IReadOnlyList<string> Check(string file)
    {
        using ThinPoolMetadata metadata = ThinPoolMetadata.Open(file);
        metadata.Check();
        return [.. metadata.Damage];
    }

    private static string Dump(string file)
    {
        using ThinPoolMetadata metadata = ThinPoolMetadata.Open(file);
        using StringWriter text = new();
        metadata.Dump(text);
        return text.ToString();
    }

    private static string[] Lines(string dump) => dump.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private string Write(byte[] data, string name = "metadata")
    {
        string file = Path.Combine(_folder, name);
        File.WriteAllBytes(file, data);
        return file;
    }
}
