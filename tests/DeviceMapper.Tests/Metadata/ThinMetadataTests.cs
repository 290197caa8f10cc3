using System.Text.RegularExpressions;
using DeviceMapper.Io;
using DeviceMapper.Metadata;
using DeviceMapper.Native;
using DeviceMapper.Targets.Thin;
using DeviceMapper.Tests.Backends;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Metadata;

/// <summary>The metadata of pools, as thin_check and thin_dump of thin-provisioning-tools see it.</summary>
public sealed partial class ThinMetadataTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("udm-thin").FullName;

    [Fact]
    public void New_metadata_passes_a_check()
    {
        FakeDevice device = new("m", 4096);
        Format(device);
        Assert.Contains("nr_data_blocks=\"1000\"", Dump(device));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Random_changes_pass_a_check_and_dump_as_a_model_says(int seed)
    {
        FakeDevice device = new("m", 32768);
        using ClaimedDevice open = Open(device);
        ThinMetadata metadata = new(open.Device, 128, () => { });
        metadata.ExtendData(20000);
        Random random = new(seed);
        Dictionary<ulong, SortedDictionary<ulong, ulong>> model = [];
        for (int i = 0; i < 3000; i++)
        {
            ulong id = (ulong)random.Next(6);
            switch (random.Next(20))
            {
                case 0 when !model.ContainsKey(id):
                    metadata.CreateVolume(id);
                    model.Add(id, []);
                    break;
                case 1 when model.Count > 0 && !model.ContainsKey(id):
                    ulong origin = model.Keys.ElementAt(random.Next(model.Count));
                    metadata.CreateSnapshot(id, origin);
                    model.Add(id, new(model[origin]));
                    break;
                case 2 when model.Remove(id):
                    metadata.DeleteVolume(id);
                    break;
                case 3:
                    metadata.Commit();
                    break;
                case 4:
                    metadata.TransactionId++;
                    break;
                case > 4 when model.ContainsKey(id):
                    ThinMetadata.Volume volume = metadata.OpenVolume(id);
                    for (int n = random.Next(60); n > 0; n--)
                    {
                        ulong block = (ulong)random.Next(3000);
                        if (random.Next(3) == 0)
                        {
                            metadata.Unmap(volume, block);
                            model[id].Remove(block);
                        }
                        else if (!metadata.TryFind(volume, block, out ThinMetadata.Mapping mapping) || mapping.Shared)
                        {
                            ulong data = metadata.AllocateData();
                            metadata.Map(volume, block, data);
                            model[id][block] = data;
                        }
                    }

                    metadata.CloseVolume(volume);
                    break;
            }
        }

        metadata.Commit();
        HashSet<ulong> used = [.. model.Values.SelectMany(m => m.Values)];
        Assert.Equal(20000 - (ulong)used.Count, metadata.FreeDataBlocks);
        Assert.Equal(
            model.OrderBy(m => m.Key).SelectMany(m => m.Value.Select(p => (m.Key, p.Key, p.Value))),
            MappingsOf(Dump(device)));
        foreach (ulong id in model.Keys)
        {
            metadata.DeleteVolume(id);
        }

        metadata.Commit();
        Assert.Equal(20000ul, metadata.FreeDataBlocks);
        Dump(device);
    }

    [Fact]
    public void A_metadata_snapshot_keeps_what_was()
    {
        FakeDevice device = new("m", 4096);
        using ClaimedDevice open = Open(device);
        ThinMetadata metadata = Prepare(open);
        ThinMetadata.Volume volume = metadata.OpenVolume(1);
        metadata.Map(volume, 76, metadata.AllocateData()); // the trees of both volumes part
        metadata.Commit();
        ulong free = metadata.FreeMetadataBlocks;
        metadata.ReserveSnapshot();
        metadata.Commit();
        Assert.Equal(Errno.EBUSY, Assert.Throws<DmException>(metadata.ReserveSnapshot).Errno);
        metadata.Map(volume, 80, metadata.AllocateData()); // beside no other, so that the dump has it by itself
        metadata.CloseVolume(volume);
        metadata.Commit();
        Assert.DoesNotContain("origin_block=\"80\"", Dump(device, "-m"));
        Assert.Contains("origin_block=\"80\"", Dump(device));
        metadata.ReleaseSnapshot();
        metadata.Commit();
        Dump(device);
        Assert.Equal(free, metadata.FreeMetadataBlocks);
        Assert.Equal(Errno.EINVAL, Assert.Throws<DmException>(metadata.ReleaseSnapshot).Errno);
    }

    [Fact]
    public void An_abort_forgets_all_since_the_last_commit()
    {
        FakeDevice device = new("m", 4096);
        using ClaimedDevice open = Open(device);
        ThinMetadata metadata = Prepare(open);
        string before = Dump(device);
        metadata.CreateVolume(9);
        ThinMetadata.Volume volume = metadata.OpenVolume(1);
        metadata.Map(volume, 500, metadata.AllocateData());
        metadata.Abort();
        Assert.False(metadata.TryFind(volume, 500, out _));
        metadata.TransactionId = metadata.TransactionId;
        metadata.Commit();
        Assert.Equal(before, Dump(device));
    }

    [Fact]
    public void A_snapshot_costs_the_same_whatever_its_origin_has()
    {
        FakeDevice device = new("m", 32768);
        using ClaimedDevice open = Open(device);
        ThinMetadata metadata = new(open.Device, 128, () => { });
        metadata.ExtendData(20000);
        metadata.CreateVolume(1);
        ThinMetadata.Volume volume = metadata.OpenVolume(1);
        for (ulong i = 0; i < 20000; i++)
        {
            metadata.Map(volume, i, metadata.AllocateData());
        }

        metadata.Commit();
        ulong free = metadata.FreeMetadataBlocks;
        metadata.CreateSnapshot(2, 1);
        metadata.Commit();
        Assert.Equal(free, metadata.FreeMetadataBlocks);
        Assert.True(metadata.TryFind(volume, 5, out ThinMetadata.Mapping mapping) && mapping.Shared);
        Dump(device);
    }

    [Fact]
    public void Metadata_that_runs_out_is_refused_and_the_last_commit_stays()
    {
        FakeDevice device = new("m", 256);
        using ClaimedDevice open = Open(device);
        ThinMetadata metadata = Prepare(open);
        string before = Dump(device);
        void Fill()
        {
            for (ulong i = 100; i < 1000; i++)
            {
                metadata.CreateVolume(i);
            }
        }

        Assert.Equal(Errno.ENOSPC, Assert.Throws<DmException>((Action)Fill).Errno);
        metadata.Abort();
        Assert.Equal(before, Dump(device));
    }

    /// <summary>At every write of many commits the power goes: what was not flushed is lost. The last commit, or the one under way, is there.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void At_every_write_the_last_commit_is_there(int seed)
    {
        FakeDevice device = new("m", 4096);
        using ClaimedDevice open = Open(device);
        ThinMetadata metadata = Prepare(open);
        Random random = new(seed);
        byte[] durable = [.. device.Data];
        List<(byte[] Cut, int Commit)> cuts = [];
        int commits = 0;
        device.Answer = bio =>
        {
            switch (bio.Operation)
            {
                case BioOperation.Flush:
                    device.Data.CopyTo(durable, 0);
                    break;
                case BioOperation.Write:
                    if (random.Next(6) == 0)
                    {
                        byte[] some = [.. durable]; // of the writes since the flush, some blocks have arrived
                        for (int at = 0; at < some.Length; at += BlockKind.Size)
                        {
                            if (random.Next(2) == 0)
                            {
                                device.Data.AsSpan(at, BlockKind.Size).CopyTo(some.AsSpan(at));
                            }
                        }

                        cuts.Add((some, commits));
                    }

                    if ((bio.Flags & BioFlags.Fua) != 0)
                    {
                        bio.Buffer.CopyTo(durable.AsSpan((int)bio.Sector.Bytes, bio.Buffer.Length));
                    }

                    break;
            }

            return BioStatus.Ok;
        };
        List<(string Transaction, ulong Free)> committed = [($"{metadata.TransactionId}", metadata.FreeDataBlocks)];
        for (int i = 0; i < 80; i++)
        {
            ThinMetadata.Volume volume = metadata.OpenVolume(1);
            for (int n = random.Next(20); n >= 0; n--)
            {
                ulong block = (ulong)random.Next(300);
                if (random.Next(2) == 0)
                {
                    metadata.Unmap(volume, block);
                }
                else if (!metadata.TryFind(volume, block, out ThinMetadata.Mapping mapping) || mapping.Shared)
                {
                    metadata.Map(volume, block, metadata.AllocateData());
                }
            }

            metadata.CloseVolume(volume);
            if (i % 7 == 0)
            {
                metadata.CreateSnapshot(100 + (ulong)i, 1);
            }

            metadata.TransactionId++;
            committed.Add(($"{metadata.TransactionId}", metadata.FreeDataBlocks));
            metadata.Commit();
            commits++;
        }

        device.Answer = null;
        Assert.True(cuts.Count > 30);
        foreach ((byte[] cut, int commit) in cuts)
        {
            FakeDevice after = new("m", 4096);
            cut.CopyTo(after.Data, 0);
            using ClaimedDevice again = Open(after);
            ThinMetadata found = new(again.Device, 128, () => { });
            Assert.Contains(($"{found.TransactionId}", found.FreeDataBlocks), committed.GetRange(commit, Math.Min(2, committed.Count - commit)));
        }

        foreach ((byte[] cut, _) in cuts.Where((_, i) => i % (cuts.Count / 10) == 0))
        {
            FakeDevice after = new("m", 4096);
            cut.CopyTo(after.Data, 0);
            Dump(after);
        }
    }

    [Fact]
    public void Damage_anywhere_is_an_error_and_never_a_crash()
    {
        FakeDevice device = new("m", 4096);
        using (ClaimedDevice open = Open(device))
        {
            Prepare(open);
        }

        Random random = new(1);
        byte[] sound = [.. device.Data];
        for (int i = 0; i < 300; i++)
        {
            sound.CopyTo(device.Data, 0);
            for (int n = random.Next(1, 20); n > 0; n--)
            {
                device.Data[random.Next(60 * BlockKind.Size)] = (byte)random.Next(256);
            }

            using ClaimedDevice open = Open(device);
            try
            {
                ThinMetadata metadata = new(open.Device, 128, () => { });
                ThinMetadata.Volume volume = metadata.OpenVolume(1);
                metadata.Map(volume, 99, metadata.AllocateData());
                metadata.Commit();
            }
            catch (DmException refusal)
            {
                Assert.DoesNotContain(refusal.Errno.Text(), refusal.Message, StringComparison.OrdinalIgnoreCase);
            }
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static ClaimedDevice Open(FakeDevice device) => new(device);

    private static void Format(FakeDevice device)
    {
        using ClaimedDevice open = Open(device);
        ThinMetadata metadata = new(open.Device, 128, () => { });
        metadata.ExtendData(1000);
        metadata.Commit();
    }

    /// <summary>A pool with a volume, some mappings, and a snapshot.</summary>
    private static ThinMetadata Prepare(ClaimedDevice open)
    {
        ThinMetadata metadata = new(open.Device, 128, () => { });
        metadata.ExtendData(5000);
        metadata.CreateVolume(1);
        ThinMetadata.Volume volume = metadata.OpenVolume(1);
        for (ulong i = 0; i < 40; i++)
        {
            metadata.Map(volume, i * 3, metadata.AllocateData());
        }

        metadata.CreateSnapshot(2, 1);
        metadata.CloseVolume(volume);
        metadata.Commit();
        return metadata;
    }

    private string Dump(FakeDevice device, string options = "")
    {
        string file = Path.Combine(_folder, "metadata");
        File.WriteAllBytes(file, device.Data);
        if (options.Length == 0)
        {
            ChildProcess.RunThinTool("thin_check", file);
        }

        return ChildProcess.RunThinTool("thin_dump", [.. options.Split(' ', StringSplitOptions.RemoveEmptyEntries), file]);
    }

    private static List<(ulong Volume, ulong Block, ulong Data)> MappingsOf(string dump)
    {
        List<(ulong, ulong, ulong)> mappings = [];
        ulong volume = 0;
        foreach (string line in dump.Split('\n'))
        {
            if (Device().Match(line) is { Success: true } device)
            {
                volume = ulong.Parse(device.Groups[1].Value);
            }
            else if (Single().Match(line) is { Success: true } single)
            {
                mappings.Add((volume, ulong.Parse(single.Groups[1].Value), ulong.Parse(single.Groups[2].Value)));
            }
            else if (Range().Match(line) is { Success: true } range)
            {
                for (ulong i = 0; i < ulong.Parse(range.Groups[3].Value); i++)
                {
                    mappings.Add((volume, ulong.Parse(range.Groups[1].Value) + i, ulong.Parse(range.Groups[2].Value) + i));
                }
            }
        }

        return mappings;
    }

    [GeneratedRegex("<device dev_id=\"([0-9]+)\"")]
    private static partial Regex Device();

    [GeneratedRegex("<single_mapping origin_block=\"([0-9]+)\" data_block=\"([0-9]+)\"")]
    private static partial Regex Single();

    [GeneratedRegex("<range_mapping origin_begin=\"([0-9]+)\" data_begin=\"([0-9]+)\" length=\"([0-9]+)\"")]
    private static partial Regex Range();
}
