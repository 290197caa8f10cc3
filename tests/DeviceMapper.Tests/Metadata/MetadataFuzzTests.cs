using System.Buffers.Binary;
using System.Diagnostics;
using DeviceMapper.Metadata;
using DeviceMapper.Native;
using DeviceMapper.Targets.Thin;
using DeviceMapper.Tests.Infrastructure;
using DeviceMapper.Volumes.Thin;

namespace DeviceMapper.Tests.Metadata;

/// <summary>
/// Pools' metadata with damage under checksums that are right: superblock, nested btrees, space maps, counts above 2, the metadata snapshot. Whatever is
/// done with it ends with an error or well, soon and without much memory. Seeded; many more rounds with UDM_TEST_LONG.
/// </summary>
public sealed class MetadataFuzzTests : IDisposable
{
    private const ulong Blocks = 256;
    private const long MostMemory = 256 << 20; // allocated by one round
    private static readonly TimeSpan _mostTime = TimeSpan.FromSeconds(60); // of one round, which takes milliseconds
    private static readonly int _rounds = Environment.GetEnvironmentVariable("UDM_TEST_LONG") == "1" ? 10_000 : 250;

    private readonly string _folder = Directory.CreateTempSubdirectory("udm-thin").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public void Damage_under_right_checksums_is_an_error_and_never_a_crash_or_a_hang(int seed)
    {
        byte[] sound = Make();
        int[] used = [.. Enumerable.Range(0, (int)Blocks).Where(b => KindOf(sound, b) is not null)];
        Random random = new(seed);
        int refused = 0;
        for (int round = 0; round < _rounds; round++)
        {
            FakeDevice device = new("m", Blocks * 8);
            sound.CopyTo(device.Data, 0);
            for (int n = random.Next(1, 4); n > 0; n--)
            {
                Damage(device.Data, random.Next(4) == 0 ? 0 : used[random.Next(used.Length)], used, random);
            }

            string what = $"seed {seed}, round {round}";
            byte[] damaged = [.. device.Data];
            long before = GC.GetAllocatedBytesForCurrentThread();
            Stopwatch clock = Stopwatch.StartNew();
            refused += Refuses(what, () => Use(device)) ? 1 : 0;
            damaged.CopyTo(device.Data, 0);
            refused += Refuses(what, () => Unuse(device)) ? 1 : 0;
            Refuses(what, () => Look(damaged, repair: round % 10 == 0));
            Assert.True(clock.Elapsed < _mostTime, $"{what}: {clock.Elapsed}");
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < MostMemory, $"{what}: {GC.GetAllocatedBytesForCurrentThread() - before} bytes");
        }

        Assert.InRange(refused, _rounds / 4, 2 * _rounds); // the damage is met
    }

    /// <summary>A tree in which each node has many ways to the one node of the next level, so that a walk would have no end.</summary>
    [Fact]
    public void Nodes_with_many_ways_to_them_are_refused()
    {
        byte[] data = Make();
        FakeDevice device = new("m", Blocks * 8);
        data.CopyTo(device.Data, 0);
        ulong root;
        using (ClaimedDevice open = new(device))
        {
            ThinMetadata metadata = new(open.Device, 128, () => { });
            root = metadata.OpenVolume(0).Root;
        }

        for (ulong level = 0; level < 7; level++)
        {
            ulong number = level == 0 ? root : Blocks - level;
            Span<byte> block = device.Data.AsSpan((int)number * BlockKind.Size, BlockKind.Size);
            block.Clear();
            BTreeNode node = BTreeNode.Format(block, leaf: level == 6, sizeof(ulong));
            for (int i = 0; i < 250; i++)
            {
                node.InsertChildAt(i, (ulong)i, level == 6 ? 1ul << ThinMetadata.TimeBits : Blocks - level - 1);
            }

            BlockKind.Node.Seal(block, number);
        }

        using ClaimedDevice again = new(device);
        ThinMetadata damaged = new(again.Device, 128, () => { });
        ThinMetadata.Volume volume = damaged.OpenVolume(0);
        Assert.Equal(Errno.EILSEQ, Assert.Throws<DmException>(() => damaged.Mapped(volume, 0, 1 << 20)).Errno);
        Assert.True(Refuses("delete", () =>
        {
            damaged.CloseVolume(volume);
            damaged.DeleteVolume(0);
        }));
        Look([.. device.Data], repair: true);
    }

    private static bool Refuses(string what, Action action)
    {
        try
        {
            action();
            return false;
        }
        catch (DmException e)
        {
            Assert.DoesNotContain(e.Errno.Text(), e.Message, StringComparison.OrdinalIgnoreCase);
            return true;
        }
        catch (Exception e) when (e is not Xunit.Sdk.XunitException)
        {
            throw new InvalidOperationException($"{what}: {e.Message}", e);
        }
    }

    /// <summary>What a pool does: maps, finds, unmaps, snapshots.</summary>
    private static void Use(FakeDevice device)
    {
        using ClaimedDevice open = new(device);
        ThinMetadata metadata = new(open.Device, 128, () => { });
        ThinMetadata.Volume volume = metadata.OpenVolume(2);
        metadata.Mapped(volume, 0, 5000);
        metadata.HighestMapped(volume);
        metadata.RunFrom(volume, 10, 400, out _);
        for (ulong block = 0; block < 600; block += 50)
        {
            metadata.TryFind(volume, block, out _);
            metadata.Map(volume, block, metadata.AllocateData());
            metadata.Unmap(volume, block + 7);
        }

        metadata.CreateSnapshot(100, 2);
        metadata.Map(volume, 3, metadata.AllocateData());
        metadata.CloseVolume(volume);
        metadata.Commit();
    }

    /// <summary>What frees much.</summary>
    private static void Unuse(FakeDevice device)
    {
        using ClaimedDevice open = new(device);
        ThinMetadata metadata = new(open.Device, 128, () => { });
        metadata.ReleaseSnapshot();
        metadata.DeleteVolume(0);
        metadata.DeleteVolume(3);
        metadata.ExtendData(metadata.DataBlocks + 20_000);
        metadata.Commit();
        metadata.ReserveSnapshot();
        metadata.Commit();
    }

    private void Look(byte[] data, bool repair)
    {
        string file = Path.Combine(_folder, "metadata"), repaired = Path.Combine(_folder, "repaired");
        File.WriteAllBytes(file, data);
        using ThinPoolMetadata metadata = ThinPoolMetadata.Open(file);
        metadata.Check();
        metadata.Dump(TextWriter.Null);
        if (repair)
        {
            File.Delete(repaired);
            metadata.Repair(repaired);
            using ThinPoolMetadata again = ThinPoolMetadata.Open(repaired);
            again.Check();
            Assert.Empty(again.Damage);
        }
    }

    /// <summary>Changes some of a block, and makes its checksum right.</summary>
    private static void Damage(byte[] data, int number, int[] used, Random random)
    {
        BlockKind kind = KindOf(data, number)!;
        Span<byte> block = data.AsSpan(number * BlockKind.Size, BlockKind.Size);
        for (int n = random.Next(1, 4); n > 0; n--)
        {
            // Mostly where the numbers are: headers, first keys and values, and what a superblock has.
            int at = random.Next(random.Next(3) == 0 ? BlockKind.Size : 400) & ~3;
            ulong value = random.Next(8) switch
            {
                0 => 0,
                1 => 1,
                2 => ulong.MaxValue,
                3 => 1ul << random.Next(64),
                4 => (ulong)used[random.Next(used.Length)],
                5 => (ulong)random.NextInt64(),
                6 => (ulong)random.Next(300),
                _ => BinaryPrimitives.ReadUInt32LittleEndian(block[at..]) + (random.Next(2) == 0 ? 1ul : ulong.MaxValue),
            };
            if (random.Next(2) == 0 && at + 8 <= BlockKind.Size)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(block[at..], value);
            }
            else
            {
                BinaryPrimitives.WriteUInt32LittleEndian(block[at..], (uint)value);
            }
        }

        if (kind == BlockKind.ThinSuperblock && random.Next(8) != 0)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(block[32..], 27022010); // else most would be refused at once
            BinaryPrimitives.WriteUInt32LittleEndian(block[40..], 2);
        }

        kind.Seal(block, (ulong)number);
    }

    /// <summary>What a block is, by its checksum.</summary>
    private static BlockKind? KindOf(byte[] data, int number)
    {
        foreach (BlockKind kind in new[] { BlockKind.ThinSuperblock, BlockKind.Node, BlockKind.Bitmap, BlockKind.Index })
        {
            try
            {
                kind.Check(data.AsSpan(number * BlockKind.Size, BlockKind.Size), (ulong)number);
                return kind;
            }
            catch (DmException)
            {
                // Another.
            }
        }

        return null;
    }

    /// <summary>Volumes with trees of two levels, blocks that more than two of them share, and a metadata snapshot.</summary>
    private static byte[] Make()
    {
        FakeDevice device = new("m", Blocks * 8);
        using ClaimedDevice open = new(device);
        ThinMetadata metadata = new(open.Device, 128, () => { });
        metadata.ExtendData(20_000);
        metadata.CreateVolume(0);
        ThinMetadata.Volume volume = metadata.OpenVolume(0);
        for (ulong i = 0; i < 600; i++)
        {
            metadata.Map(volume, i, metadata.AllocateData());
        }

        metadata.Commit();
        for (ulong i = 1; i <= 5; i++)
        {
            metadata.CreateSnapshot(i, 0);
            metadata.Map(volume, i * 90, metadata.AllocateData()); // the root is copied, and leaves have more references
            metadata.Commit();
            if (i == 3)
            {
                metadata.ReserveSnapshot();
            }
        }

        metadata.CloseVolume(volume);
        metadata.Commit();
        return [.. device.Data];
    }
}
